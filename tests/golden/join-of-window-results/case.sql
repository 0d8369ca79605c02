-- Two windowed aggregates over two tables, joined by key and window with FULL JOIN.

CREATE TABLE left_rows (
  k STRING,
  v INT,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/left_rows', 'format' = 'json');

CREATE TABLE right_rows (
  k STRING,
  w INT,
  `at` TIMESTAMP(3),
  WATERMARK FOR `at` AS `at` - INTERVAL '1' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/right_rows', 'format' = 'json');

CREATE TABLE results (
  window_start TIMESTAMP(3),
  k STRING,
  v_total BIGINT,
  w_total BIGINT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

CREATE TEMPORARY VIEW left_totals AS
SELECT window_start, window_end, k, SUM(CAST(v AS BIGINT)) AS total
FROM TABLE(TUMBLE(TABLE left_rows, DESCRIPTOR(ts), INTERVAL '5' MINUTES))
GROUP BY window_start, window_end, k;

CREATE TEMPORARY VIEW right_totals AS
SELECT window_start, window_end, k, SUM(CAST(w AS BIGINT)) AS total
FROM TABLE(TUMBLE(TABLE right_rows, DESCRIPTOR(`at`), INTERVAL '5' MINUTES))
GROUP BY window_start, window_end, k;

INSERT INTO results
SELECT COALESCE(l.window_start, r.window_start), COALESCE(l.k, r.k), l.total, r.total
FROM left_totals AS l FULL JOIN right_totals AS r
ON l.window_start = r.window_start AND l.window_end = r.window_end AND l.k = r.k;
