-- An aggregate over the whole window, with arithmetic over aggregates and constants.

CREATE TABLE readings (
  sensor STRING,
  reading DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/readings', 'format' = 'json');

CREATE TABLE results (
  half_hour STRING,
  spread DOUBLE,
  scaled DOUBLE,
  source STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT DATE_FORMAT(window_start, 'HH:mm'), MAX(reading) - MIN(reading), 2 * SUM(reading) / COUNT(*) + 1,
       'sensors'
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '30' MINUTES))
GROUP BY window_start, window_end;
