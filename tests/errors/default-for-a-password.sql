CREATE TABLE orders (id STRING) WITH (
  'connector' = 'kafka', 'topics' = 'orders', 'properties.sasl.password' = '${PASSWORD:-hunter2}'
);
