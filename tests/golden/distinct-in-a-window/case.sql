-- Keys without aggregates: SELECT DISTINCT and GROUP BY give each combination once per window.

CREATE TABLE sales (
  country STRING,
  city STRING,
  product STRING,
  amount DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/sales', 'format' = 'json');

CREATE TABLE by_distinct (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  country STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/by_distinct', 'format' = 'json');

CREATE TABLE by_group (
  window_end TIMESTAMP(3),
  product STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/by_group', 'format' = 'json');

EXECUTE STATEMENT SET
BEGIN
INSERT INTO by_distinct
SELECT DISTINCT window_start, window_end, country
FROM TABLE(TUMBLE(TABLE sales, DESCRIPTOR(ts), INTERVAL '5' MINUTES));
INSERT INTO by_group
SELECT window_end, product
FROM TABLE(TUMBLE(TABLE sales, DESCRIPTOR(ts), INTERVAL '5' MINUTES))
GROUP BY window_start, window_end, product;
END;
