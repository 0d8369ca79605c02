-- UNNEST WITH ORDINALITY numbers the elements from 1, NULLs included.

CREATE TABLE baskets (
  basket STRING,
  tags ARRAY<STRING>,
  items ARRAY<ROW<sku STRING, quantity INT, price DOUBLE>>,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/baskets', 'format' = 'json');

CREATE TABLE results (
  basket STRING,
  tag STRING,
  n INT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT basket, tag, n FROM baskets CROSS JOIN UNNEST(tags) WITH ORDINALITY AS t (tag, n);
