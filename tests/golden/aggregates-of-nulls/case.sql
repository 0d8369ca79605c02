-- Aggregates skip NULLs; over nothing but NULLs they are NULL, and counts 0.

CREATE TABLE readings (
  sensor STRING,
  x DOUBLE,
  n BIGINT,
  s STRING,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/readings', 'format' = 'json');

CREATE TABLE results (
  sensor STRING,
  all_rows BIGINT,
  x_count BIGINT,
  x_sum DOUBLE,
  x_avg DOUBLE,
  x_min DOUBLE,
  x_max DOUBLE,
  n_sum BIGINT,
  s_max STRING,
  s_distinct BIGINT,
  spread DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT sensor, COUNT(*), COUNT(x), SUM(x), AVG(x), MIN(x), MAX(x), SUM(n), MAX(s),
       COUNT(DISTINCT s), STDDEV_SAMP(x)
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, sensor;
