-- From TIMESTAMP to TIMESTAMP_LTZ and back by the session's clocks: with CAST, into a sink, in a comparison.

SET 'table.local-time-zone' = 'Europe/Berlin';

CREATE TABLE t (
  id INT,
  wall TIMESTAMP(3),
  at_time TIMESTAMP_LTZ(3),
  `day` DATE,
  s STRING
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  moment TIMESTAMP_LTZ(3),
  moment_of_day TIMESTAMP_LTZ(3),
  moment_of_text TIMESTAMP_LTZ(3),
  shown TIMESTAMP(3),
  shown_day DATE,
  into_sink TIMESTAMP(3),
  into_sink_too TIMESTAMP_LTZ(3),
  same BOOLEAN
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id, CAST(wall AS TIMESTAMP_LTZ(3)), CAST(`day` AS TIMESTAMP_LTZ(3)), TRY_CAST(s AS TIMESTAMP_LTZ(3)),
       CAST(at_time AS TIMESTAMP(3)), CAST(at_time AS DATE), at_time, wall,
       CAST(at_time AS TIMESTAMP(3)) = wall
FROM t;
