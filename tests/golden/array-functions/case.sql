-- Elements by index from 1, length, membership, and functions from array to array.

CREATE TABLE t (
  id INT,
  xs ARRAY<INT>,
  ys ARRAY<STRING>
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  first_x INT,
  beyond INT,
  n INT,
  has_two BOOLEAN,
  joined STRING,
  place INT,
  without_repeats ARRAY<INT>,
  reversed ARRAY<INT>,
  longer ARRAY<INT>,
  part ARRAY<INT>,
  made ARRAY<INT>,
  highest INT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id, xs[1], xs[9], CARDINALITY(xs), ARRAY_CONTAINS(xs, 2), ARRAY_JOIN(ys, '+'), ARRAY_POSITION(xs, 2),
       ARRAY_DISTINCT(xs), ARRAY_REVERSE(xs), ARRAY_CONCAT(xs, ARRAY[7]), ARRAY_SLICE(xs, 2, 3),
       ARRAY[id, id * 2], ARRAY_MAX(xs)
FROM t;
