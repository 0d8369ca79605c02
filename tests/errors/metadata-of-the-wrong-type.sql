CREATE TABLE orders (
  id STRING,
  headers STRING METADATA
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json'
);

SELECT id FROM orders;
