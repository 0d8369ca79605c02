CREATE TABLE orders (
  id      STRING,
  address ROW<street STRING, city STRING>
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json'
);

SELECT id, address.town FROM orders;
