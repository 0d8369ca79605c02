-- COALESCE, NULLIF, IF, IFNULL, CASE, GREATEST and LEAST with NULLs, and three-valued logic.

CREATE TABLE t (
  id INT,
  a DOUBLE,
  b DOUBLE,
  flag BOOLEAN
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  first_one DOUBLE,
  without_zero DOUBLE,
  by_if STRING,
  or_zero DOUBLE,
  label STRING,
  highest DOUBLE,
  lowest DOUBLE,
  both_true BOOLEAN,
  either_true BOOLEAN,
  known_true BOOLEAN,
  differ BOOLEAN
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id, COALESCE(a, b, -1), NULLIF(a, 0), IF(a > b, 'more', 'not more'), IFNULL(b, 0),
       CASE WHEN a IS NULL THEN 'null' WHEN a = 0 THEN 'zero' WHEN a < b THEN 'less' END,
       GREATEST(a, b), LEAST(a, b), flag AND a > 0, flag OR a > 0, flag IS TRUE, a IS DISTINCT FROM b
FROM t;
