-- JSON_VALUE reads a scalar by path: wrong kinds, NULL documents, defaults and types. A path is strict
-- unless it says `lax`: what is missing is then an error, not empty.

CREATE TABLE t (
  id INT,
  doc STRING
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  name STRING,
  city STRING,
  second_tag STRING,
  age INT,
  score DOUBLE,
  fallback STRING,
  lax_fallback STRING,
  has_name BOOLEAN
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id,
       JSON_VALUE(doc, '$.name'),
       JSON_VALUE(doc, '$.address.city'),
       JSON_VALUE(doc, '$.tags[1]'),
       JSON_VALUE(doc, '$.age' RETURNING INTEGER),
       JSON_VALUE(doc, '$.score' RETURNING DOUBLE),
       JSON_VALUE(doc, '$.nick' DEFAULT 'none' ON ERROR),
       JSON_VALUE(doc, 'lax $.nick' DEFAULT 'none' ON EMPTY),
       JSON_EXISTS(doc, '$.name')
FROM t;
