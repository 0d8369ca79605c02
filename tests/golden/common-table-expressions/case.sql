-- WITH: a filter, a window over it, and a projection of the result, each named.

CREATE TABLE orders (
  order_id STRING,
  user_id STRING,
  total_amount DOUBLE,
  status STRING,
  created_at TIMESTAMP(3),
  WATERMARK FOR created_at AS created_at - INTERVAL '30' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/orders', 'format' = 'json');

CREATE TABLE results (
  minute_end TIMESTAMP(3),
  user_id STRING,
  share DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
WITH paid AS (
  SELECT user_id, total_amount, created_at FROM orders WHERE status = 'paid'
), per_user AS (
  SELECT window_end, user_id, SUM(total_amount) AS revenue
  FROM TABLE(TUMBLE(TABLE paid, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, user_id
)
SELECT window_end, user_id, revenue / 64 FROM per_user WHERE user_id IS NOT NULL;
