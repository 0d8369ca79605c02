CREATE TABLE orders (id STRING) WITH (
  'connector' = 'kafka', 'format' = 'json', 'properties.bootstrap.servers' = 'localhost:9092',
  'topics' = 'orders', 'properties.sasl.password' = 'hunter2'
);
