-- Ten seconds into a minute into five minutes, each stage over the results of the one before.

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
  minutes BIGINT,
  slices BIGINT,
  orders BIGINT,
  best_slice DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

CREATE TEMPORARY VIEW slices AS
SELECT window_time AS slice_time, COUNT(*) AS orders, SUM(total_amount) AS revenue
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '10' SECONDS))
GROUP BY window_start, window_end, window_time;

CREATE TEMPORARY VIEW minutes AS
SELECT window_time AS minute_time, COUNT(*) AS slices, SUM(orders) AS orders, MAX(revenue) AS best_slice
FROM TABLE(TUMBLE(TABLE slices, DESCRIPTOR(slice_time), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, window_time;

INSERT INTO results
SELECT window_start, window_end, COUNT(*), SUM(slices), SUM(orders), MAX(best_slice)
FROM TABLE(TUMBLE(TABLE minutes, DESCRIPTOR(minute_time), INTERVAL '5' MINUTES))
GROUP BY window_start, window_end;
