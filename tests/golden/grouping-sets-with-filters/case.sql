-- FILTER and DISTINCT within GROUPING SETS, and the same aggregate under two filters.

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
  product STRING,
  detail BIGINT,
  products BIGINT,
  cities_of_tea BIGINT,
  cities_of_rum BIGINT,
  tea DOUBLE,
  rum DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start, country, product, GROUPING_ID(product, country),
       COUNT(DISTINCT product),
       COUNT(DISTINCT city) FILTER (WHERE product = 'tea'),
       COUNT(DISTINCT city) FILTER (WHERE product = 'rum'),
       SUM(amount) FILTER (WHERE product = 'tea'),
       SUM(amount) FILTER (WHERE product = 'rum')
FROM TABLE(TUMBLE(TABLE sales, DESCRIPTOR(ts), INTERVAL '5' MINUTES))
GROUP BY window_start, window_end, GROUPING SETS ((country, product), (product), ());
