-- Partitions whose times do not overlap: a window is complete only when the slowest partition has passed
-- it.

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
  orders BIGINT,
  users BIGINT,
  revenue DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start, COUNT(*), COUNT(DISTINCT user_id), SUM(total_amount)
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end;
