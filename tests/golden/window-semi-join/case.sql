-- Rows whose key appears in the same window of another table, by IN and by EXISTS.

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

CREATE TABLE by_in (
  window_start TIMESTAMP(3),
  k STRING,
  v INT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/by_in', 'format' = 'json');

CREATE TABLE by_exists (
  window_start TIMESTAMP(3),
  k STRING,
  v INT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/by_exists', 'format' = 'json');

EXECUTE STATEMENT SET
BEGIN
INSERT INTO by_in
SELECT l.window_start, l.k, l.v
FROM (
  SELECT * FROM TABLE(TUMBLE(TABLE left_rows, DESCRIPTOR(ts), INTERVAL '5' MINUTES))
) AS l
WHERE l.k IN (
  SELECT r.k
  FROM (
    SELECT * FROM TABLE(TUMBLE(TABLE right_rows, DESCRIPTOR(`at`), INTERVAL '5' MINUTES))
  ) AS r
  WHERE l.window_start = r.window_start AND l.window_end = r.window_end
);
INSERT INTO by_exists
SELECT l.window_start, l.k, l.v
FROM (
  SELECT * FROM TABLE(TUMBLE(TABLE left_rows, DESCRIPTOR(ts), INTERVAL '5' MINUTES))
) AS l
WHERE EXISTS (
  SELECT *
  FROM (
    SELECT * FROM TABLE(TUMBLE(TABLE right_rows, DESCRIPTOR(`at`), INTERVAL '5' MINUTES))
  ) AS r
  WHERE l.k = r.k AND l.window_start = r.window_start AND l.window_end = r.window_end
);
END;
