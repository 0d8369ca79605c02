CREATE TABLE orders (
  id STRING, amount DOUBLE
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json',
  'properties.sasl.mechansim' = 'PLAIN',
  'properties.security.protocol' = 'SASL_SSL'
);

SELECT id FROM orders;
