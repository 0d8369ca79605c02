-- UNNEST with LEFT JOIN ON TRUE: rows with an empty or NULL array stay, with NULL.

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
SELECT b.basket, t.tag FROM baskets AS b LEFT JOIN UNNEST(b.tags) AS t (tag) ON TRUE;
