-- FILTER on single aggregates: an aggregate that no row reaches is NULL, a count is 0, but the group stays.

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
  paid BIGINT,
  paid_revenue DOUBLE,
  void_revenue DOUBLE,
  paying_users BIGINT,
  smallest_open DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start,
       COUNT(*),
       COUNT(*) FILTER (WHERE status = 'paid'),
       SUM(total_amount) FILTER (WHERE status = 'paid'),
       SUM(total_amount) FILTER (WHERE status = 'void'),
       COUNT(DISTINCT user_id) FILTER (WHERE status = 'paid' AND total_amount > 1),
       MIN(total_amount) FILTER (WHERE status = 'open')
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end;
