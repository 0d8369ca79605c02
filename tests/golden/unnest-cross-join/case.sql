-- UNNEST with CROSS JOIN: a row for each element, none for an empty or NULL array.

CREATE TABLE baskets (
  basket STRING,
  tags ARRAY<STRING>,
  items ARRAY<ROW<sku STRING, quantity INT, price DOUBLE>>,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/baskets', 'format' = 'json');

CREATE TABLE results (
  basket STRING,
  tag STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT basket, tag FROM baskets CROSS JOIN UNNEST(tags) AS t (tag);
