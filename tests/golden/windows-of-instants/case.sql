-- Windows over TIMESTAMP_LTZ with a session in UTC: their bounds are plain timestamps, the instants are
-- written with a `Z`.

SET 'table.local-time-zone' = 'UTC';

CREATE TABLE readings (
  sensor STRING,
  reading DOUBLE,
  ts TIMESTAMP_LTZ(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' HOUR
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/readings', 'format' = 'json');

CREATE TABLE results (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  readings BIGINT,
  total DOUBLE,
  first_ts TIMESTAMP_LTZ(3)
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start, window_end, COUNT(*), SUM(reading), MIN(ts)
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '12' HOUR))
GROUP BY window_start, window_end;
