-- Rows of two tables with the same key in the same window; NULL keys match nothing.

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
  v INT,
  w INT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT l.window_start, l.k, l.v, r.w
FROM (
  SELECT * FROM TABLE(TUMBLE(TABLE left_rows, DESCRIPTOR(ts), INTERVAL '5' MINUTES))
) AS l INNER JOIN (
  SELECT * FROM TABLE(TUMBLE(TABLE right_rows, DESCRIPTOR(`at`), INTERVAL '5' MINUTES))
) AS r ON l.k = r.k AND l.window_start = r.window_start AND l.window_end = r.window_end;
