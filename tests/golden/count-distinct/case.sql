-- Distinct counts and sums in a window: NULL is not a value, the empty text is; several of them side by
-- side and with FILTER.

CREATE TABLE visits (
  page STRING,
  visitor STRING,
  weight BIGINT,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/visits', 'format' = 'json');

CREATE TABLE results (
  window_start TIMESTAMP(3),
  page STRING,
  visits BIGINT,
  visitors BIGINT,
  long_names BIGINT,
  weights BIGINT,
  distinct_weight BIGINT,
  weight BIGINT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start, page, COUNT(visitor), COUNT(DISTINCT visitor),
       COUNT(DISTINCT visitor) FILTER (WHERE CHAR_LENGTH(visitor) > 2),
       COUNT(DISTINCT weight), SUM(DISTINCT weight), SUM(weight)
FROM TABLE(TUMBLE(TABLE visits, DESCRIPTOR(ts), INTERVAL '15' SECONDS))
GROUP BY window_start, window_end, page;
