-- flink: no, a stream there has no approximate distinct count
-- Revenue and users per minute, with a sketch for the users; so few of them that it is exact.

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
  window_end TIMESTAMP(3),
  order_count BIGINT,
  unique_users BIGINT,
  total_revenue DOUBLE,
  avg_order_value DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start, window_end, COUNT(*) AS order_count, APPROX_DISTINCT(user_id) AS unique_users,
       SUM(total_amount) AS total_revenue, AVG(total_amount) AS avg_order_value
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end;
