-- An offset moves the window boundaries: forward and back.

CREATE TABLE readings (
  sensor STRING,
  reading DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/readings', 'format' = 'json');

CREATE TABLE forward (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  sensor STRING,
  readings BIGINT,
  total DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/forward', 'format' = 'json');

CREATE TABLE back (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  sensor STRING,
  readings BIGINT,
  total DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/back', 'format' = 'json');

EXECUTE STATEMENT SET
BEGIN
INSERT INTO forward
SELECT window_start, window_end, sensor, COUNT(*), SUM(reading)
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' MINUTES, INTERVAL '4' MINUTES))
GROUP BY window_start, window_end, sensor;
INSERT INTO back
SELECT window_start, window_end, sensor, COUNT(*), SUM(reading)
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' MINUTES, INTERVAL '-1' MINUTES))
GROUP BY window_start, window_end, sensor;
END;
