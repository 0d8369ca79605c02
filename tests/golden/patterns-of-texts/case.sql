-- LIKE with ESCAPE and without, patterns from a column, SIMILAR TO.

CREATE TABLE t (
  id INT,
  s STRING,
  p STRING
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  backslash BOOLEAN,
  escaped BOOLEAN,
  by_backslash BOOLEAN,
  not_escaped BOOLEAN,
  by_column BOOLEAN,
  repeated BOOLEAN,
  one_of BOOLEAN,
  dotted BOOLEAN,
  not_dotted BOOLEAN,
  literal_escape BOOLEAN,
  wild_escape BOOLEAN
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id, s LIKE '%\%', s LIKE '%$%' ESCAPE '$', s LIKE '100\%' ESCAPE '\', s NOT LIKE 'a!_b' ESCAPE '!',
       s LIKE p, s SIMILAR TO 'a*b', s SIMILAR TO '(aab|C)%', s SIMILAR TO 'a._',
       s NOT SIMILAR TO '[a-c]+.%', s LIKE 'a\_b', s LIKE '__\_%'
FROM t;
