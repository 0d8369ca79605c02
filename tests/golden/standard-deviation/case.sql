-- Population and sample deviation and variance of doubles; a single row has no sample deviation.

CREATE TABLE readings (
  sensor STRING,
  reading DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/readings', 'format' = 'json');

CREATE TABLE results (
  window_start TIMESTAMP(3),
  sensor STRING,
  dev_pop DOUBLE,
  dev_samp DOUBLE,
  variance_pop DOUBLE,
  variance_samp DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start, sensor, STDDEV_POP(reading), STDDEV_SAMP(reading), VAR_POP(reading), VAR_SAMP(reading)
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' HOUR))
GROUP BY window_start, window_end, sensor;
