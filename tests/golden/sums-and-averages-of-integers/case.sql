-- flink: no, it truncates averages of integers and wraps their sums
-- The average of integers is a double, and the sum of narrow integers does not wrap.

CREATE TABLE t (
  k STRING,
  small TINYINT,
  n INT,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  k STRING,
  small_sum BIGINT,
  n_sum BIGINT,
  n_mean DOUBLE,
  n_spread DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT k, SUM(small), SUM(n), AVG(n), STDDEV_POP(n)
FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR))
GROUP BY window_start, window_end, k;
