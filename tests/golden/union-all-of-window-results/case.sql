-- Results of two windows over two tables go into one sink.

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
  channel STRING,
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  sales BIGINT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT 'web', window_start, window_end, COUNT(*)
FROM TABLE(TUMBLE(TABLE web_sales, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end
UNION ALL
SELECT 'shop', window_start, window_end, COUNT(*)
FROM TABLE(TUMBLE(TABLE shop_sales, DESCRIPTOR(sold_at), INTERVAL '2' MINUTES))
GROUP BY window_start, window_end;
