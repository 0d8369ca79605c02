-- flink: no, it has none of these
-- Aggregates that DataFusion has under their own names: medians, boolean and bitwise ones.

CREATE TABLE readings (
  sensor STRING,
  reading DOUBLE,
  ok BOOLEAN,
  bits BIGINT,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/readings', 'format' = 'json');

CREATE TABLE results (
  window_start TIMESTAMP(3),
  sensor STRING,
  middle DOUBLE,
  all_ok BOOLEAN,
  any_ok BOOLEAN,
  common_bits BIGINT,
  all_bits BIGINT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start, sensor, MEDIAN(reading), BOOL_AND(ok), BOOL_OR(ok), BIT_AND(bits), BIT_OR(bits)
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' MINUTES))
GROUP BY window_start, window_end, sensor;
