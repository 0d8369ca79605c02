-- Windows of days are aligned to midnight, those of seven days to Thursdays, because the epoch began on
-- one.

CREATE TABLE readings (
  sensor STRING,
  reading DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' DAY
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/readings', 'format' = 'json');

CREATE TABLE per_day (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  sensor STRING,
  readings BIGINT,
  total DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/per_day', 'format' = 'json');

CREATE TABLE per_week (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  sensor STRING,
  readings BIGINT,
  total DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/per_week', 'format' = 'json');

EXECUTE STATEMENT SET
BEGIN
INSERT INTO per_day
SELECT window_start, window_end, sensor, COUNT(*), SUM(reading)
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' DAY))
GROUP BY window_start, window_end, sensor;
INSERT INTO per_week
SELECT window_start, window_end, sensor, COUNT(*), SUM(reading)
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '7' DAYS))
GROUP BY window_start, window_end, sensor;
END;
