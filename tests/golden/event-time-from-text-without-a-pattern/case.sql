-- The event time is computed from text of the default form, with and without fractions of a second.

CREATE TABLE readings (
  sensor STRING,
  reading DOUBLE,
  created STRING,
  ts AS TO_TIMESTAMP(created),
  WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/readings', 'format' = 'json');

CREATE TABLE results (
  window_start TIMESTAMP(3),
  sensor STRING,
  first_ts TIMESTAMP(3),
  last_ts TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start, sensor, MIN(ts), MAX(ts)
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' MINUTES))
GROUP BY window_start, window_end, sensor;
