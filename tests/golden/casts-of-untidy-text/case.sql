-- Text with blanks around it, fractions for an integer, exponents, numbers out of range, booleans.

CREATE TABLE t (
  id INT,
  s STRING
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  as_int INT,
  as_double DOUBLE,
  as_decimal DECIMAL(6, 2),
  as_boolean BOOLEAN
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id, TRY_CAST(s AS INT), TRY_CAST(s AS DOUBLE), TRY_CAST(s AS DECIMAL(6, 2)), TRY_CAST(s AS BOOLEAN)
FROM t;
