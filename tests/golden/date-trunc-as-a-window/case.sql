-- flink: no, it has no DATE_TRUNC, and no windows by expressions
-- DATE_TRUNC of the event time as a group key is a tumbling window, also when it is named and grouped by
-- its name or place.

CREATE TABLE readings (
  sensor STRING,
  reading DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/readings', 'format' = 'json');

CREATE TABLE results (
  hour_start TIMESTAMP(3),
  readings BIGINT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

CREATE TABLE by_place (
  sensor STRING,
  hour_start TIMESTAMP(3),
  total DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/by_place', 'format' = 'json');

EXECUTE STATEMENT SET
BEGIN
INSERT INTO results
SELECT DATE_TRUNC('hour', ts) AS hour_start, COUNT(*)
FROM readings
GROUP BY hour_start;
INSERT INTO by_place
SELECT sensor, DATE_TRUNC('hour', ts), SUM(reading)
FROM readings
GROUP BY 1, 2;
END;
