-- A view of window results used by two pipelines: one keeps the big minutes, the other renames and
-- computes.

CREATE TABLE orders (
  order_id STRING,
  user_id STRING,
  total_amount DOUBLE,
  status STRING,
  created_at TIMESTAMP(3),
  WATERMARK FOR created_at AS created_at - INTERVAL '30' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/orders', 'format' = 'json');

CREATE TABLE big_minutes (
  minute_start TIMESTAMP(3),
  revenue DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/big_minutes', 'format' = 'json');

CREATE TABLE averages (
  minute_end TIMESTAMP(3),
  status STRING,
  average DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/averages', 'format' = 'json');

CREATE TEMPORARY VIEW per_minute AS
SELECT window_start, window_end, status, COUNT(total_amount) AS orders, SUM(total_amount) AS revenue
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, status;

EXECUTE STATEMENT SET
BEGIN
INSERT INTO big_minutes
SELECT window_start, revenue FROM per_minute WHERE revenue > 10;
INSERT INTO averages
SELECT window_end, status, revenue / orders FROM per_minute WHERE orders > 0;
END;
