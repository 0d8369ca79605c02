-- An aggregate of aggregates within the same window: first per user, then over all users.

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
  users BIGINT,
  highest DOUBLE,
  orders BIGINT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start, window_end, COUNT(user_id), MAX(spent), SUM(orders)
FROM (
  SELECT window_start, window_end, user_id, SUM(total_amount) AS spent, COUNT(*) AS orders
  FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, user_id
)
GROUP BY window_start, window_end;
