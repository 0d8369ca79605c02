-- Formats, parts, differences and rounding of timestamps around leap days and ends of years.

CREATE TABLE t (
  id INT,
  ts TIMESTAMP(3),
  other TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  formatted STRING,
  y BIGINT,
  mo BIGINT,
  d BIGINT,
  h BIGINT,
  q BIGINT,
  day_in_week BIGINT,
  hour_start TIMESTAMP(3),
  day_start TIMESTAMP(3),
  month_start TIMESTAMP(3),
  next_hour TIMESTAMP(3),
  days_apart INT,
  hours_apart INT,
  months_apart INT,
  day_only DATE,
  next_day TIMESTAMP(3),
  next_month TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id,
       DATE_FORMAT(ts, 'yyyy-MM-dd HH:mm:ss.SSS'),
       EXTRACT(YEAR FROM ts), EXTRACT(MONTH FROM ts), EXTRACT(DAY FROM ts), EXTRACT(HOUR FROM ts),
       QUARTER(ts), DAYOFWEEK(ts),
       FLOOR(ts TO HOUR), FLOOR(ts TO DAY), FLOOR(ts TO MONTH), CEIL(ts TO HOUR),
       TIMESTAMPDIFF(DAY, ts, other), TIMESTAMPDIFF(HOUR, ts, other), TIMESTAMPDIFF(MONTH, ts, other),
       CAST(ts AS DATE), ts + INTERVAL '1' DAY, ts + INTERVAL '1' MONTH
FROM t;
