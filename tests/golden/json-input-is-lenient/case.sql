-- Numbers in quotes, text columns that hold numbers or objects, unknown and repeated fields.

CREATE TABLE t (
  i INT,
  d DOUBLE,
  b BOOLEAN,
  s STRING
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  i INT,
  d DOUBLE,
  b BOOLEAN,
  s STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results SELECT i, d, b, s FROM t;
