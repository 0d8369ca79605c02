-- Orders per minute: how many, by how many users, for how much.
--
-- The same file runs against a broker on a laptop and against Confluent Cloud: brokers, credentials and
-- topics come from the environment. For Confluent Cloud: KAFKA_BROKERS, KAFKA_SECURITY_PROTOCOL=SASL_SSL,
-- KAFKA_SASL_MECHANISM=PLAIN, KAFKA_API_KEY and KAFKA_API_SECRET.

CREATE TABLE orders (
  id           STRING,
  order_id     STRING,
  user_id      STRING,
  total_amount DOUBLE,
  status       STRING,
  items_count  INT,
  event_type   STRING,
  created_at   TIMESTAMP(6),
  items        ARRAY<ROW<product_id STRING, quantity INT, price DOUBLE>>,
  WATERMARK FOR created_at AS created_at - INTERVAL '${WATERMARK_SECONDS:-30}' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = '${ORDERS_TOPIC:-orders}',
  'properties.bootstrap.servers' = '${KAFKA_BROKERS:-localhost:9092}',
  'properties.security.protocol' = '${KAFKA_SECURITY_PROTOCOL:-PLAINTEXT}',
  'properties.sasl.mechanism' = '${KAFKA_SASL_MECHANISM:-}',
  'properties.sasl.username' = '${KAFKA_API_KEY:-}',
  'properties.sasl.password' = '${KAFKA_API_SECRET:-}',
  'scan.startup.mode' = '${ORDERS_STARTUP:-earliest-offset}',
  'scan.watermark.idle-timeout' = '${IDLE_TIMEOUT:-30 s}',
  'format' = 'json'
);

CREATE TABLE analytics_results (
  window_start    TIMESTAMP(3),
  window_end      TIMESTAMP(3),
  order_count     BIGINT,
  unique_users    BIGINT,
  total_revenue   DOUBLE,
  avg_order_value DOUBLE,
  processed_at    STRING,
  metric_type     STRING,
  window_type     STRING
) WITH (
  'connector' = 'kafka',
  'topic' = '${RESULTS_TOPIC:-analytics-results}',
  'properties.bootstrap.servers' = '${KAFKA_BROKERS:-localhost:9092}',
  'properties.security.protocol' = '${KAFKA_SECURITY_PROTOCOL:-PLAINTEXT}',
  'properties.sasl.mechanism' = '${KAFKA_SASL_MECHANISM:-}',
  'properties.sasl.username' = '${KAFKA_API_KEY:-}',
  'properties.sasl.password' = '${KAFKA_API_SECRET:-}',
  'sink.delivery-guarantee' = '${DELIVERY_GUARANTEE:-exactly-once}',
  'format' = 'json'
);

INSERT INTO analytics_results
SELECT
  window_start,
  window_end,
  COUNT(*)                                              AS order_count,
  APPROX_DISTINCT(user_id)                              AS unique_users,
  SUM(total_amount)                                     AS total_revenue,
  ROUND(AVG(total_amount), 2)                           AS avg_order_value,
  DATE_FORMAT(CURRENT_TIMESTAMP, 'yyyy-MM-dd''T''HH:mm:ss.SSS') AS processed_at,
  'order_analytics'                                     AS metric_type,
  '${WINDOW_NAME:-1_minute_window}'                     AS window_type
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '${WINDOW_SECONDS:-60}' SECOND))
GROUP BY window_start, window_end;
