-- The largest order of each user and window, straight from the rows; NULL sorts last when descending.

CREATE TABLE orders (
  order_id STRING,
  user_id STRING,
  total_amount DOUBLE,
  status STRING,
  created_at TIMESTAMP(3),
  WATERMARK FOR created_at AS created_at - INTERVAL '30' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/orders', 'format' = 'json');

CREATE TABLE results (
  window_end TIMESTAMP(3),
  user_id STRING,
  order_id STRING,
  total_amount DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_end, user_id, order_id, total_amount
FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY window_start, window_end, user_id ORDER BY total_amount DESC
  ) AS place
  FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '5' MINUTES))
)
WHERE place <= 1;
