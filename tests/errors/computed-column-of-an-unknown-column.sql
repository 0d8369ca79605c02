CREATE TABLE orders (
  id STRING,
  amount DOUBLE,
  net AS gross * 0.8
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json'
);

SELECT net FROM orders;
