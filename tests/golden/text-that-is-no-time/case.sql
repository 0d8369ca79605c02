-- TO_TIMESTAMP and TO_DATE give NULL for text that does not fit; a missing time is midnight.

CREATE TABLE t (
  id INT,
  s STRING
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  plain TIMESTAMP(3),
  by_pattern TIMESTAMP(3),
  day_only DATE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id, TO_TIMESTAMP(s), TO_TIMESTAMP(CASE WHEN id > 3 THEN s END, 'dd.MM.yyyy HH:mm'), TO_DATE(s)
FROM t;
