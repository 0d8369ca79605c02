-- A column list orders the values; sink columns that it leaves out are NULL.

CREATE TABLE t (
  a INT,
  b STRING
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  first_column BIGINT,
  second_column STRING,
  third_column DOUBLE,
  fourth_column STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results (second_column, first_column)
SELECT b, a FROM t WHERE a > 0;
