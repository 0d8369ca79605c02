-- Three pipelines read one table once, each with windows of its own size.

CREATE TABLE orders (
  order_id STRING,
  user_id STRING,
  total_amount DOUBLE,
  status STRING,
  created_at TIMESTAMP(3),
  WATERMARK FOR created_at AS created_at - INTERVAL '30' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/orders', 'format' = 'json');

CREATE TABLE per_ten_seconds (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  orders BIGINT,
  revenue DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/per_ten_seconds', 'format' = 'json');

CREATE TABLE per_minute (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  orders BIGINT,
  revenue DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/per_minute', 'format' = 'json');

CREATE TABLE per_five_minutes (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  orders BIGINT,
  revenue DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/per_five_minutes', 'format' = 'json');

EXECUTE STATEMENT SET
BEGIN
INSERT INTO per_ten_seconds
SELECT window_start, window_end, COUNT(*), SUM(total_amount)
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '10' SECOND))
GROUP BY window_start, window_end;
INSERT INTO per_minute
SELECT window_start, window_end, COUNT(*), SUM(total_amount)
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end;
INSERT INTO per_five_minutes
SELECT window_start, window_end, COUNT(*), SUM(total_amount)
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '5' MINUTE))
GROUP BY window_start, window_end;
END;
