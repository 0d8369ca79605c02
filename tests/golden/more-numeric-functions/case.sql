-- Logarithms, roots, angles, remainders and number forms.

CREATE TABLE t (
  id INT,
  x DOUBLE,
  n INT
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  ln_x DOUBLE,
  ten DOUBLE,
  two DOUBLE,
  by_base DOUBLE,
  exponential DOUBLE,
  sine DOUBLE,
  angle DOUBLE,
  degree DOUBLE,
  tenths DOUBLE,
  negated DOUBLE,
  remainder INT,
  hexed STRING,
  binary_form STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id, LN(x), LOG10(x), LOG2(x), LOG(2, x), EXP(n), SIN(x), ATAN2(x, 1), DEGREES(x),
       ROUND(x, 1), -x, n % 3,
       HEX(n), BIN(n)
FROM t;
