-- The same table function by argument names; the window columns may be named in any order, and not all of
-- them selected.

CREATE TABLE readings (
  sensor STRING,
  reading DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' MINUTE
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
FROM TABLE(
  TUMBLE(
    DATA => TABLE readings,
    TIMECOL => DESCRIPTOR(ts),
    SIZE => INTERVAL '10' MINUTES
  )
)
GROUP BY sensor, window_end, window_start;
