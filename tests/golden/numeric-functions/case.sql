-- Integer division cuts off, MOD has the sign of the dividend, ROUND goes half away from zero.

CREATE TABLE t (
  id INT,
  n BIGINT,
  m BIGINT,
  x DOUBLE,
  p DECIMAL(10, 3)
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  quotient BIGINT,
  remainder BIGINT,
  magnitude BIGINT,
  low DOUBLE,
  high DOUBLE,
  rounded DOUBLE,
  rounded_decimal DECIMAL(10, 1),
  cut_decimal DECIMAL(10, 1),
  whole INT,
  direction DOUBLE,
  squared DOUBLE,
  root DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id, n / m, MOD(n, m), ABS(n), FLOOR(x), CEIL(x), ROUND(x, 0), ROUND(p, 1), TRUNCATE(p, 1),
       CAST(x AS INT), SIGN(x), POWER(x, 2), SQRT(ABS(n))
FROM t;
