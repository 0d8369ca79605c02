-- The event time is computed from text with a pattern.

CREATE TABLE readings (
  sensor STRING,
  reading DOUBLE,
  day_text STRING,
  time_text STRING,
  ts AS TO_TIMESTAMP(CONCAT(day_text, ' ', time_text), 'dd.MM.yyyy HH:mm'),
  WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/readings', 'format' = 'json');

CREATE TABLE results (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  sensor STRING,
  readings BIGINT,
  total DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start, window_end, sensor, COUNT(*), SUM(reading)
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' MINUTES))
GROUP BY window_start, window_end, sensor;
