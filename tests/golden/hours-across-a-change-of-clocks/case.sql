-- Hours of instants where clocks are set forward and back: one hour is never shown, one is shown twice and
-- is a single window. A window over windows goes by the same clocks.

SET 'table.local-time-zone' = 'Europe/Berlin';

CREATE TABLE readings (
  sensor STRING,
  reading DOUBLE,
  ts TIMESTAMP_LTZ(3),
  WATERMARK FOR ts AS ts - INTERVAL '3' HOUR
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/readings', 'format' = 'json');

CREATE TABLE hours (
  hour_start TIMESTAMP(3),
  hour_end TIMESTAMP(3),
  hour_time TIMESTAMP_LTZ(3),
  readings BIGINT,
  total DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/hours', 'format' = 'json');

CREATE TABLE six_hours (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  hours BIGINT,
  total DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/six_hours', 'format' = 'json');

CREATE VIEW by_hour AS
SELECT window_start AS hour_start, window_end AS hour_end, window_time AS hour_time, COUNT(*) AS readings,
       SUM(reading) AS total
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' HOUR))
GROUP BY window_start, window_end, window_time;

EXECUTE STATEMENT SET BEGIN
INSERT INTO hours SELECT * FROM by_hour;
INSERT INTO six_hours
SELECT window_start, window_end, COUNT(*), SUM(total)
FROM TABLE(TUMBLE(TABLE by_hour, DESCRIPTOR(hour_time), INTERVAL '6' HOUR))
GROUP BY window_start, window_end;
END;
