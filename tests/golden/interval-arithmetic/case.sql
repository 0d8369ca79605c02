-- Intervals of several units added to timestamps, and differences of timestamps in every unit.

CREATE TABLE t (
  id INT,
  a TIMESTAMP(3),
  b TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  plus_years TIMESTAMP(3),
  plus_mixed TIMESTAMP(3),
  minus_millis TIMESTAMP(3),
  added TIMESTAMP(3),
  seconds_apart INT,
  minutes_apart INT,
  weeks_apart INT,
  years_apart INT,
  earlier BOOLEAN,
  near BOOLEAN
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id, a + INTERVAL '1-2' YEAR TO MONTH, a + INTERVAL '1 02:03' DAY TO MINUTE,
       a - INTERVAL '0.250' SECOND,
       TIMESTAMPADD(WEEK, 2, a), TIMESTAMPDIFF(SECOND, a, b), TIMESTAMPDIFF(MINUTE, a, b),
       TIMESTAMPDIFF(WEEK, a, b), TIMESTAMPDIFF(YEAR, a, b), a < b,
       b BETWEEN a - INTERVAL '1' HOUR AND a + INTERVAL '1' HOUR
FROM t;
