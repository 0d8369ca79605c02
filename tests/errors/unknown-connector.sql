CREATE TABLE orders (
  id STRING
) WITH (
  'connector' = 'kafak',
  'topic' = 'orders',
  'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json'
);
