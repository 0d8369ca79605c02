-- A filter and a computed column below the window function, through a sub-query in a view.

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

CREATE TEMPORARY VIEW hot AS
SELECT CONCAT('s-', sensor) AS sensor, reading * 10 AS tenfold, ts
FROM (SELECT * FROM readings WHERE reading IS NOT NULL AND reading >= 2)
WHERE sensor <> 'c';

INSERT INTO results
SELECT window_start, window_end, sensor, COUNT(*), SUM(tenfold)
FROM TABLE(TUMBLE(TABLE hot, DESCRIPTOR(ts), INTERVAL '10' MINUTES))
GROUP BY window_start, window_end, sensor;
