CREATE TABLE orders (
  id      STRING,
  user_id STRING,
  amount  DOUBLE,
  tags    ARRAY<STRING>,
  ts      TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = 'localhost:9092',
  'format' = 'json'
);

SELECT *
FROM orders MATCH_RECOGNIZE (
  PARTITION BY user_id ORDER BY ts
  MEASURES A.ts AS start_ts
  PATTERN (A B)
  DEFINE A AS amount > 10, B AS amount > 20
);
