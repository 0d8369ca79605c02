-- The first and the last row of each user in a window, by event time.

CREATE TABLE orders (
  order_id STRING,
  user_id STRING,
  total_amount DOUBLE,
  status STRING,
  created_at TIMESTAMP(3),
  WATERMARK FOR created_at AS created_at - INTERVAL '30' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/orders', 'format' = 'json');

CREATE TABLE first_orders (
  window_start TIMESTAMP(3),
  user_id STRING,
  order_id STRING,
  status STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/first_orders', 'format' = 'json');

CREATE TABLE last_orders (
  window_start TIMESTAMP(3),
  user_id STRING,
  order_id STRING,
  status STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/last_orders', 'format' = 'json');

EXECUTE STATEMENT SET
BEGIN
INSERT INTO first_orders
SELECT window_start, user_id, order_id, status
FROM (
  SELECT *,
         ROW_NUMBER() OVER (PARTITION BY window_start, window_end, user_id ORDER BY created_at ASC) AS place
  FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
)
WHERE place = 1;
INSERT INTO last_orders
SELECT window_start, user_id, order_id, status
FROM (
  SELECT *,
         ROW_NUMBER() OVER (PARTITION BY window_start, window_end, user_id ORDER BY created_at DESC) AS place
  FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
)
WHERE place = 1;
END;
