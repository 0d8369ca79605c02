-- A chain of views: rename and compute, filter, window, and a query that reorders.

CREATE TABLE orders (
  order_id STRING,
  user_id STRING,
  total_amount DOUBLE,
  status STRING,
  created_at TIMESTAMP(3),
  WATERMARK FOR created_at AS created_at - INTERVAL '30' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/orders', 'format' = 'json');

CREATE TABLE results (
  revenue DOUBLE,
  customer STRING,
  window_end TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

CREATE TEMPORARY VIEW renamed (id, customer, cents, happened) AS
SELECT order_id, UPPER(user_id), total_amount * 100, created_at FROM orders WHERE status <> 'void';

CREATE TEMPORARY VIEW known AS SELECT * FROM renamed WHERE customer IS NOT NULL;

CREATE TEMPORARY VIEW per_customer AS
SELECT window_start, window_end, customer, SUM(cents) AS cents
FROM TABLE(TUMBLE(TABLE known, DESCRIPTOR(happened), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, customer;

INSERT INTO results
SELECT cents / 100, customer, window_end FROM per_customer WHERE cents > 500;
