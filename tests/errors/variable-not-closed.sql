CREATE TABLE orders (
  id STRING
) WITH (
  'connector' = 'kafka',
  'topic' = '${ORDERS_TOPIC',
  'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json'
);

SELECT id FROM orders;
