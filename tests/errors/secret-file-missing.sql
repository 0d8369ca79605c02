CREATE TABLE orders (
  id STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json',
  'properties.security.protocol' = 'SASL_SSL',
  'properties.sasl.mechanism' = 'PLAIN',
  'properties.sasl.username' = 'app',
  'properties.sasl.password' = '${file:/run/secrets/kafka}'
);

SELECT id FROM orders;
