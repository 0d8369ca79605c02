-- The two users with the highest revenue of each minute, by ROW_NUMBER over window results.

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
  place BIGINT,
  user_id STRING,
  spent DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start, place, user_id, spent
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY spent DESC) AS place
  FROM (
    SELECT window_start, window_end, user_id, SUM(total_amount) AS spent
    FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
    WHERE user_id IS NOT NULL AND total_amount IS NOT NULL
    GROUP BY window_start, window_end, user_id
  )
)
WHERE place <= 2;
