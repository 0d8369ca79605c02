CREATE TABLE orders (
  id STRING
) WITH (
  'connector' = 'filesystem',
  'format' = 'json'
);
