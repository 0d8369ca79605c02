-- Tumbling windows by the old group function, with its start, end and row time (the last instant of the
-- window).

CREATE TABLE readings (
  sensor STRING,
  reading DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/readings', 'format' = 'json');

CREATE TABLE results (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  row_time TIMESTAMP(3),
  sensor STRING,
  readings BIGINT,
  total DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT TUMBLE_START(ts, INTERVAL '10' MINUTE), TUMBLE_END(ts, INTERVAL '10' MINUTE),
       TUMBLE_ROWTIME(ts, INTERVAL '10' MINUTE), sensor, COUNT(*), SUM(reading)
FROM readings
GROUP BY TUMBLE(ts, INTERVAL '10' MINUTE), sensor;
