-- JSON with timestamps of ISO 8601: read from one table and written to one sink in this form.

CREATE TABLE readings (
  sensor STRING,
  reading DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/readings', 'format' = 'json',
        'json.timestamp-format.standard' = 'ISO-8601');

CREATE TABLE results (
  window_start TIMESTAMP(3),
  latest TIMESTAMP(3),
  readings BIGINT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json',
        'json.timestamp-format.standard' = 'ISO-8601');

INSERT INTO results
SELECT window_start, MAX(ts), COUNT(*)
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' MINUTES))
GROUP BY window_start, window_end;
