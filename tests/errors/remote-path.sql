CREATE TABLE orders (
  id STRING
) WITH (
  'connector' = 'filesystem',
  'path' = 's3://bucket/orders',
  'format' = 'json'
);
