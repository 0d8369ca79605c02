-- Days of instants begin at midnight of the session time zone, here five and a half hours ahead of UTC.

SET 'table.local-time-zone' = 'Asia/Kolkata';

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
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' DAY))
GROUP BY window_start, window_end;
