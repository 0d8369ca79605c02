-- CASE inside aggregates, around them, and as a group key.

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
  size_class STRING,
  paid BIGINT,
  net DOUBLE,
  verdict STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start,
       CASE WHEN total_amount >= 10 THEN 'big' WHEN total_amount > 0 THEN 'small' ELSE 'unknown' END,
       SUM(CASE status WHEN 'paid' THEN 1 ELSE 0 END),
       SUM(CASE WHEN status <> 'void' THEN total_amount END),
       CASE WHEN COUNT(*) > 2 THEN 'busy' ELSE 'calm' END
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end,
         CASE WHEN total_amount >= 10 THEN 'big' WHEN total_amount > 0 THEN 'small' ELSE 'unknown' END;
