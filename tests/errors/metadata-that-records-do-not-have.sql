CREATE TABLE orders (
  id STRING,
  size BIGINT METADATA FROM 'value-size'
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json'
);

SELECT id FROM orders;
