-- flink: no, its parts of a timestamp before 1970 are those of the next day
-- Days, parts and months of timestamps before the epoch are rounded down, as after it.

CREATE TABLE t (
  id INT,
  ts TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  y BIGINT,
  mo BIGINT,
  d BIGINT,
  h BIGINT,
  day_in_week BIGINT,
  month_start TIMESTAMP(3),
  day_only DATE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id, EXTRACT(YEAR FROM ts), EXTRACT(MONTH FROM ts), EXTRACT(DAY FROM ts), EXTRACT(HOUR FROM ts),
       DAYOFWEEK(ts), FLOOR(ts TO MONTH), CAST(ts AS DATE)
FROM t;
