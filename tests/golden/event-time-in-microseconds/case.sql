-- flink: no, event times have at most three digits there
-- An event time of six digits: windows of milliseconds, and a boundary missed by one microsecond.

CREATE TABLE ticks (
  price DOUBLE,
  ts TIMESTAMP(6),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/ticks', 'format' = 'json');

CREATE TABLE results (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  ticks BIGINT,
  latest TIMESTAMP(6)
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start, window_end, COUNT(*), MAX(ts)
FROM TABLE(TUMBLE(TABLE ticks, DESCRIPTOR(ts), INTERVAL '0.250' SECOND))
GROUP BY window_start, window_end;
