CREATE TABLE orders (
  id STRING, amount DOUBLE
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'format' = 'json',
  'properties.bootstrap.server' = 'localhost:9092'
);

SELECT id FROM orders;
