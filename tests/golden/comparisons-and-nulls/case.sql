-- IN with NULLs, NOT IN, IS UNKNOWN, SIMILAR TO, BETWEEN SYMMETRIC, and what WHERE does with unknown.

CREATE TABLE t (
  id INT,
  a INT,
  s STRING
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  in_list BOOLEAN,
  not_in_list BOOLEAN,
  is_unknown BOOLEAN,
  alike BOOLEAN,
  between_either BOOLEAN,
  same_as_null BOOLEAN
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

CREATE TABLE passed (
  id INT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/passed', 'format' = 'json');

EXECUTE STATEMENT SET
BEGIN
INSERT INTO results
SELECT id, a IN (1, 2), a NOT IN (1, 2), (a > 1) IS UNKNOWN, s SIMILAR TO '(x|y)+z?',
       a BETWEEN SYMMETRIC 3 AND 1,
       s IS NOT DISTINCT FROM CAST(NULL AS STRING)
FROM t;
INSERT INTO passed
SELECT id FROM t WHERE NOT (a > 1 AND s <> 'x');
END;
