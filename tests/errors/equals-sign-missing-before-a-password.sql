CREATE TABLE orders (id STRING) WITH (
  'connector' = 'kafka', 'topic' = 'orders', 'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json', 'properties.sasl.password' 'hunter2'
);
