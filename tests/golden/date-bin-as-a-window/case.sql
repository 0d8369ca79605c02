-- flink: no, it has no DATE_BIN
-- DATE_BIN of the event time as a group key is a tumbling window too.

CREATE TABLE readings (
  sensor STRING,
  reading DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/readings', 'format' = 'json');

CREATE TABLE results (
  bin TIMESTAMP(3),
  sensor STRING,
  readings BIGINT,
  total DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT DATE_BIN(INTERVAL '10' MINUTE, ts), sensor, COUNT(*), SUM(reading)
FROM readings
GROUP BY DATE_BIN(INTERVAL '10' MINUTE, ts), sensor;
