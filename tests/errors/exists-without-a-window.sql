CREATE TABLE orders (
  id      STRING,
  user_id STRING,
  amount  DOUBLE,
  tags    ARRAY<STRING>,
  ts      TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json'
);

SELECT id
FROM orders AS a
WHERE EXISTS (SELECT 1 FROM orders AS b WHERE a.id = b.user_id);
