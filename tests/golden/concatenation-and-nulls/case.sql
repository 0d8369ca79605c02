-- CONCAT and || give NULL for a NULL argument, CONCAT_WS skips it, and an empty text stays.

CREATE TABLE t (
  id INT,
  s STRING,
  t STRING
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  a STRING,
  b STRING,
  c STRING,
  d STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id, CONCAT(s, '/', t), s || t, CONCAT_WS('-', s, t, 'end'), COALESCE(s, 'no s') || COALESCE(t, 'no t')
FROM t;
