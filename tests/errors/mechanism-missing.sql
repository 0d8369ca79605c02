CREATE TABLE orders (
  id STRING, amount DOUBLE
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json',
  'properties.security.protocol' = 'SASL_SSL',
  'properties.sasl.username' = 'app',
  'properties.sasl.password' = 'hunter2'
);

SELECT id FROM orders;
