-- Case, trimming, padding, cutting and searching of text, positions counted in characters from 1.

CREATE TABLE t (
  id INT,
  s STRING,
  t STRING
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  upper_case STRING,
  lower_case STRING,
  trimmed STRING,
  left_trimmed STRING,
  padded STRING,
  cut_left STRING,
  middle STRING,
  tail STRING,
  whole STRING,
  first_three STRING,
  last_two STRING,
  n INT,
  place INT,
  replaced STRING,
  reversed STRING,
  repeated STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id, UPPER(s), LOWER(s), TRIM(s), LTRIM(s), LPAD(s, 9, '*'), LPAD(s, 4, '*'),
       SUBSTRING(s FROM 2 FOR 3), SUBSTRING(s, -3), SUBSTR(s, 0), LEFT(s, 3), RIGHT(s, 2),
       CHAR_LENGTH(s), POSITION('o' IN s), REPLACE(s, 'd', 'DD'), REVERSE(s), REPEAT(s, 2)
FROM t;
