CREATE TABLE orders (id STRING) WITH (
  'connector' = 'kafka'
  'topic' = 'orders'
);
