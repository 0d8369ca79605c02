-- Lines of CSV into a window: quotes, empty fields and NULL literals.

CREATE TABLE readings (
  sensor STRING,
  reading DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/readings', 'format' = 'csv',
        'csv.null-literal' = 'n/a');

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
