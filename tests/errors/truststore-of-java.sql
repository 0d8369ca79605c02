CREATE TABLE orders (
  id STRING, amount DOUBLE
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json',
  'properties.security.protocol' = 'SSL',
  'properties.ssl.truststore.location' = '/etc/kafka/truststore.jks',
  'properties.ssl.truststore.password' = 'hunter2'
);

SELECT id FROM orders;
