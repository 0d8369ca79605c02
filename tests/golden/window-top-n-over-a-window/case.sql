-- Top-N of window results within a larger window: the best minute of each five.

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
  minute_start TIMESTAMP(3),
  revenue DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

CREATE TEMPORARY VIEW minutes AS
SELECT window_start AS minute_start, window_time AS minute_time, SUM(total_amount) AS revenue
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, window_time;

INSERT INTO results
SELECT window_start, minute_start, revenue
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY revenue DESC) AS place
  FROM TABLE(TUMBLE(TABLE minutes, DESCRIPTOR(minute_time), INTERVAL '5' MINUTES))
)
WHERE place = 1;
