CREATE TABLE orders (id STRING) WITH (
  'connector' = 'kafka', 'topic' = 'orders', 'format' = 'json', 'properties.sasl.password' = 'hunter2
);
