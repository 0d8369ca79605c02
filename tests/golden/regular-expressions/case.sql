-- REGEXP_REPLACE replaces every match, REGEXP_EXTRACT gives a group or NULL, LIKE knows _, % and ESCAPE.

CREATE TABLE log_lines (
  id INT,
  line STRING
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/log_lines', 'format' = 'json');

CREATE TABLE results (
  id INT,
  masked STRING,
  swapped STRING,
  code STRING,
  whole STRING,
  has_digits BOOLEAN,
  like_wild BOOLEAN,
  like_escaped BOOLEAN
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id,
       REGEXP_REPLACE(line, '[0-9]+', '#'),
       REGEXP_REPLACE(line, '(\w+)=(\w+)', '$2=$1'),
       REGEXP_EXTRACT(line, 'code=(\d+)', 1),
       REGEXP_EXTRACT(line, 'code=(\d+)'),
       REGEXP(line, '\d'),
       line LIKE '_ET%',
       line LIKE '%100!%%' ESCAPE '!'
FROM log_lines;
