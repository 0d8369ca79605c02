-- Semicolons, quotes, comment signs and line breaks inside text literals, comments between clauses.

CREATE TABLE t (
  id INT,
  s STRING
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  signs STRING,
  matched BOOLEAN
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

/* A comment of
   two lines; with a semicolon. */
INSERT INTO results -- the sink
SELECT id, 'it''s -- no comment; "really" /* not */' || s, s = 'a;b' -- trailing
FROM t /* inline */
WHERE s <> ';';
