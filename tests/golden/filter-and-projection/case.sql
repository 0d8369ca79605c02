-- No windows at all: comparisons, BETWEEN, IN, LIKE and NULLs decide which rows pass.

CREATE TABLE orders (
  order_id STRING,
  user_id STRING,
  total_amount DOUBLE,
  status STRING,
  created_at TIMESTAMP(3),
  WATERMARK FOR created_at AS created_at - INTERVAL '30' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/orders', 'format' = 'json');

CREATE TABLE results (
  order_id STRING,
  rule STRING,
  with_tax DOUBLE,
  created_at TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT order_id, 'in range', total_amount * 1.25, created_at
FROM orders
WHERE total_amount BETWEEN 4 AND 16 AND status IN ('paid', 'open') AND user_id NOT LIKE 'b%'
UNION ALL
SELECT order_id, 'unknown', total_amount, created_at
FROM orders
WHERE user_id IS NULL OR total_amount IS NULL;
