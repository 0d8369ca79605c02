-- FIRST_VALUE and LAST_VALUE go by order of arrival within one partition and skip NULLs.

CREATE TABLE readings (
  sensor STRING,
  reading DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/readings', 'format' = 'json');

CREATE TABLE results (
  window_start TIMESTAMP(3),
  sensor STRING,
  opening DOUBLE,
  closing DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start, sensor, FIRST_VALUE(reading), LAST_VALUE(reading)
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' MINUTES))
GROUP BY window_start, window_end, sensor;
