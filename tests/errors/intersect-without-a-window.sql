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

SELECT id FROM orders
INTERSECT
SELECT user_id FROM orders;
