-- flink: no, a sink takes one time attribute there
-- The event time of a row and the time of its window go into one sink.

CREATE TABLE readings (
  sensor STRING,
  reading DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/readings', 'format' = 'json');

CREATE TABLE results (
  sensor STRING,
  reading DOUBLE,
  ts TIMESTAMP(3),
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  window_time TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT * FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' MINUTES));
