-- GROUPING SETS in a window; GROUPING tells a total from a NULL key.

CREATE TABLE sales (
  country STRING,
  city STRING,
  product STRING,
  amount DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/sales', 'format' = 'json');

CREATE TABLE results (
  window_start TIMESTAMP(3),
  country STRING,
  city STRING,
  detail BIGINT,
  sales BIGINT,
  amount DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start, country, city, GROUPING(country) * 10 + GROUPING(city), COUNT(*), SUM(amount)
FROM TABLE(TUMBLE(TABLE sales, DESCRIPTOR(ts), INTERVAL '5' MINUTES))
GROUP BY window_start, window_end, GROUPING SETS ((country, city), (country), (city), ());
