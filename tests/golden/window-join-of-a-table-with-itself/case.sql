-- A table joined with itself within a window, one side filtered and aggregated.

CREATE TABLE orders (
  order_id STRING,
  user_id STRING,
  total_amount DOUBLE,
  status STRING,
  created_at TIMESTAMP(3),
  WATERMARK FOR created_at AS created_at - INTERVAL '30' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/orders', 'format' = 'json');

CREATE TABLE results (
  window_start TIMESTAMP(3),
  order_id STRING,
  share DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT o.window_start, o.order_id, o.total_amount / t.revenue
FROM (
  SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
) AS o JOIN (
  SELECT window_start, window_end, SUM(total_amount) AS revenue
  FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
  WHERE status = 'paid'
  GROUP BY window_start, window_end
) AS t ON o.window_start = t.window_start AND o.window_end = t.window_end
WHERE o.status = 'paid';
