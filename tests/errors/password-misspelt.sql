CREATE TABLE orders (id STRING) WITH (
  'connector' = 'kafka', 'topic' = 'orders', 'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json', 'properties.security.protocol' = 'SASL_SSL', 'properties.sasl.pasword' = 'hunter2'
);
