-- Less common functions on text, each under its Flink name and with its meaning.

CREATE TABLE t (
  id INT,
  s STRING,
  t STRING
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  right_padded STRING,
  both_trimmed STRING,
  right_trimmed STRING,
  words STRING,
  overlaid STRING,
  field STRING,
  located INT,
  in_string INT,
  digest STRING,
  encoded STRING,
  decoded STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id, RPAD(s, 9, '.'), TRIM(BOTH 'W' FROM s), RTRIM(s), INITCAP(CASE WHEN id <> 4 THEN s END),
       OVERLAY(s PLACING '__' FROM 2 FOR 1), SPLIT_INDEX(s, ',', 1), LOCATE(t, s), INSTR(s, t), MD5(s),
       TO_BASE64(s), FROM_BASE64(TO_BASE64(s))
FROM t;
