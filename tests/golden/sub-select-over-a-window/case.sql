-- A sub-select in FROM around a windowed aggregate: expressions and a filter over its results.

CREATE TABLE orders (
  order_id STRING,
  user_id STRING,
  total_amount DOUBLE,
  status STRING,
  created_at TIMESTAMP(3),
  WATERMARK FOR created_at AS created_at - INTERVAL '30' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/orders', 'format' = 'json');

CREATE TABLE results (
  minute_start TIMESTAMP(3),
  label STRING,
  mean DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT w.window_start, CONCAT(w.status, ':', CAST(w.orders AS STRING)), w.revenue / w.orders
FROM (
  SELECT window_start, window_end, status, COUNT(*) AS orders, SUM(total_amount) AS revenue
  FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, status
) AS w
WHERE w.orders >= 2 OR w.status = 'open';
