CREATE TABLE orders (
  id STRING,
  PRIMARY KEY (id)
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json'
);
