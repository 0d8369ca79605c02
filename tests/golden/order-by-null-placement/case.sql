-- A ranking in a window by a column with NULLs: first when ascending, last when descending.

CREATE TABLE sales (
  country STRING,
  city STRING,
  product STRING,
  amount DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/sales', 'format' = 'json');

CREATE TABLE ascending (
  window_start TIMESTAMP(3),
  place BIGINT,
  product STRING,
  city STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/ascending', 'format' = 'json');

CREATE TABLE descending (
  window_start TIMESTAMP(3),
  place BIGINT,
  product STRING,
  city STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/descending', 'format' = 'json');

EXECUTE STATEMENT SET
BEGIN
INSERT INTO ascending
SELECT window_start, place, product, city
FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY window_start, window_end, product ORDER BY city ASC, amount
  ) AS place
  FROM TABLE(TUMBLE(TABLE sales, DESCRIPTOR(ts), INTERVAL '5' MINUTES))
)
WHERE place <= 2;
INSERT INTO descending
SELECT window_start, place, product, city
FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY window_start, window_end, product ORDER BY city DESC, amount
  ) AS place
  FROM TABLE(TUMBLE(TABLE sales, DESCRIPTOR(ts), INTERVAL '5' MINUTES))
)
WHERE place <= 2;
END;
