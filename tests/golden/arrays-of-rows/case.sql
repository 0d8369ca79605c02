-- An array of rows unnested into columns, then windowed and aggregated.

CREATE TABLE baskets (
  basket STRING,
  tags ARRAY<STRING>,
  items ARRAY<ROW<sku STRING, quantity INT, price DOUBLE>>,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/baskets', 'format' = 'json');

CREATE TABLE results (
  window_start TIMESTAMP(3),
  sku STRING,
  lines BIGINT,
  quantity BIGINT,
  revenue DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

CREATE TEMPORARY VIEW basket_lines AS
SELECT basket, ts, sku, CAST(quantity AS BIGINT) AS quantity, price
FROM baskets CROSS JOIN UNNEST(items) AS i (sku, quantity, price);

INSERT INTO results
SELECT window_start, sku, COUNT(*), SUM(quantity), SUM(quantity * price)
FROM TABLE(TUMBLE(TABLE basket_lines, DESCRIPTOR(ts), INTERVAL '5' MINUTES))
GROUP BY window_start, window_end, sku;
