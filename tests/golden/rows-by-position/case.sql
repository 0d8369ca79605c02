-- Rows go into a sink by the position of their fields, also within arrays and rows; a NULL row stays NULL.

CREATE TABLE t (
  id INT,
  name STRING,
  n INT,
  place ROW<city STRING, zip INT>,
  items ARRAY<ROW<sku STRING, qty INT>>
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  pair ROW<label STRING, amount BIGINT>,
  address ROW<town STRING, code BIGINT>,
  things ARRAY<ROW<part STRING, pieces BIGINT>>,
  deep ROW<outer_id INT, inner_pair ROW<x STRING, y INT>>
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id, ROW(name, n), place, items, ROW(id, ROW(name, n))
FROM t;
