-- LIKE copies columns, computed columns, watermark and options of another table.

CREATE TABLE web_sales (
  item STRING,
  price DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '10' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/web_sales', 'format' = 'json');

CREATE TABLE shop_sales (
  till INT,
  net AS price / 2
) WITH ('path' = '${CASE}/input/shop_sales')
LIKE web_sales;

CREATE TABLE results (
  window_start TIMESTAMP(3),
  till INT,
  net DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start, till, SUM(net)
FROM TABLE(TUMBLE(TABLE shop_sales, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, till;
