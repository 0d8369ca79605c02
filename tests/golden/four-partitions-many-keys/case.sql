-- Forty rows out of order in four partitions, grouped by two keys in two window sizes at once.

CREATE TABLE events (
  k STRING,
  n BIGINT,
  x DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/events', 'format' = 'json');

CREATE TABLE by_both (
  window_start TIMESTAMP(3),
  k STRING,
  n BIGINT,
  events BIGINT,
  x_sum DOUBLE,
  x_min DOUBLE,
  x_max DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/by_both', 'format' = 'json');

CREATE TABLE by_text (
  window_start TIMESTAMP(3),
  k STRING,
  events BIGINT,
  ns BIGINT,
  earliest TIMESTAMP(3),
  latest TIMESTAMP(3),
  mean DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/by_text', 'format' = 'json');

EXECUTE STATEMENT SET
BEGIN
INSERT INTO by_both
SELECT window_start, k, n, COUNT(*), SUM(x), MIN(x), MAX(x)
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, k, n;
INSERT INTO by_text
SELECT window_start, k, COUNT(*), COUNT(DISTINCT n), MIN(ts), MAX(ts), AVG(x)
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '20' SECOND))
GROUP BY window_start, window_end, k;
END;
