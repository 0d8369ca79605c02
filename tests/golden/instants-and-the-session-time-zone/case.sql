-- Functions on instants go by the session time zone: parts, formats, rounding and casts.

SET 'table.local-time-zone' = 'Asia/Kolkata';

CREATE TABLE t (
  id INT,
  ms BIGINT,
  at_time TIMESTAMP_LTZ(3)
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  instant TIMESTAMP_LTZ(3),
  formatted STRING,
  h BIGINT,
  d BIGINT,
  local_time TIMESTAMP(3),
  local_day DATE,
  day_start TIMESTAMP_LTZ(3),
  later TIMESTAMP_LTZ(3),
  same BOOLEAN,
  unix_text STRING,
  converted STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id, TO_TIMESTAMP_LTZ(ms, 3), DATE_FORMAT(at_time, 'yyyy-MM-dd HH:mm'), EXTRACT(HOUR FROM at_time),
       EXTRACT(DAY FROM at_time), CAST(at_time AS TIMESTAMP(3)), CAST(at_time AS DATE), FLOOR(at_time TO DAY),
       at_time + INTERVAL '90' MINUTE, TO_TIMESTAMP_LTZ(ms, 3) = at_time, FROM_UNIXTIME(ms / 1000),
       CONVERT_TZ('2024-02-29 00:00:00', 'UTC', 'Europe/Berlin')
FROM t;
