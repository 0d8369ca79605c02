-- A window over the results of another one: `window_time` is the event time of a result.

CREATE TABLE orders (
  order_id STRING,
  user_id STRING,
  total_amount DOUBLE,
  status STRING,
  created_at TIMESTAMP(3),
  WATERMARK FOR created_at AS created_at - INTERVAL '30' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/orders', 'format' = 'json');

CREATE TABLE per_five_minutes (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  busy_minutes BIGINT,
  most_orders BIGINT,
  revenue DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/per_five_minutes', 'format' = 'json');

CREATE TEMPORARY VIEW per_minute AS
SELECT window_start AS minute_start, window_end AS minute_end, window_time AS minute_time,
       COUNT(*) AS orders, SUM(total_amount) AS revenue
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, window_time;

INSERT INTO per_five_minutes
SELECT window_start, window_end, COUNT(*), MAX(orders), SUM(revenue)
FROM TABLE(TUMBLE(TABLE per_minute, DESCRIPTOR(minute_time), INTERVAL '5' MINUTES))
GROUP BY window_start, window_end;
