-- A filter that no row passes gives no windows and an empty result, for rows and for aggregates without
-- keys.

CREATE TABLE orders (
  order_id STRING,
  user_id STRING,
  total_amount DOUBLE,
  status STRING,
  created_at TIMESTAMP(3),
  WATERMARK FOR created_at AS created_at - INTERVAL '30' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/orders', 'format' = 'json');

CREATE TABLE results (
  orders BIGINT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

CREATE TABLE copies (
  order_id STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/copies', 'format' = 'json');

EXECUTE STATEMENT SET
BEGIN
INSERT INTO results
SELECT COUNT(*)
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
WHERE status = 'lost'
GROUP BY window_start, window_end;
INSERT INTO copies
SELECT order_id FROM orders WHERE total_amount > 1000;
END;
