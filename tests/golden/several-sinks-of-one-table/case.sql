-- Three sinks of one table: rows as they are, a window, and a window over unnamed columns of a subquery.

CREATE TABLE orders (
  order_id STRING,
  user_id STRING,
  total_amount DOUBLE,
  status STRING,
  created_at TIMESTAMP(3),
  WATERMARK FOR created_at AS created_at - INTERVAL '30' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/orders', 'format' = 'json');

CREATE TABLE paid (
  order_id STRING,
  cents BIGINT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/paid', 'format' = 'json');

CREATE TABLE minutes (
  window_start TIMESTAMP(3),
  orders BIGINT,
  again BIGINT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/minutes', 'format' = 'json');

CREATE TABLE users (
  window_start TIMESTAMP(3),
  letters INT,
  orders BIGINT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/users', 'format' = 'json');

EXECUTE STATEMENT SET BEGIN
INSERT INTO paid
SELECT order_id, CAST(total_amount * 100 AS BIGINT) FROM orders WHERE status = 'paid';
INSERT INTO minutes
SELECT window_start, COUNT(*), COUNT(*)
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end;
INSERT INTO users
SELECT window_start, `EXPR$2`, SUM(`EXPR$3`)
FROM (
  SELECT window_start, window_end, CHAR_LENGTH(user_id), COUNT(*)
  FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end, user_id
)
GROUP BY window_start, window_end, `EXPR$2`;
END;
