-- Two tables with other names, types and watermarks are united, then windowed together.

CREATE TABLE web_sales (
  item STRING,
  price DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '10' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/web_sales', 'format' = 'json');

CREATE TABLE shop_sales (
  name STRING,
  cents BIGINT,
  sold_at TIMESTAMP(3),
  WATERMARK FOR sold_at AS sold_at - INTERVAL '30' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/shop_sales', 'format' = 'json');

CREATE TABLE results (
  window_start TIMESTAMP(3),
  item STRING,
  channels BIGINT,
  revenue DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

CREATE TEMPORARY VIEW all_sales AS
SELECT 'web' AS channel, item, price, ts FROM web_sales
UNION ALL
SELECT 'shop', name, CAST(cents AS DOUBLE) / 100, sold_at FROM shop_sales WHERE cents > 0;

INSERT INTO results
SELECT window_start, item, COUNT(DISTINCT channel), SUM(price)
FROM TABLE(TUMBLE(TABLE all_sales, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, item;
