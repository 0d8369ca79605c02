CREATE TABLE orders (
  id STRING, amount DOUBLE
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json',
  'scan.watermark.idle-timeout' = 'half a minute'
);

SELECT id FROM orders;
