-- Group keys of text, integers, booleans, dates and decimals. NULL is a group like any other, and differs
-- from the empty text and from zero.

CREATE TABLE events (
  k_text STRING,
  k_int INT,
  k_big BIGINT,
  k_bool BOOLEAN,
  k_date DATE,
  k_decimal DECIMAL(10, 2),
  amount DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/events', 'format' = 'json');

CREATE TABLE results (
  window_start TIMESTAMP(3),
  k_text STRING,
  k_int INT,
  k_big BIGINT,
  k_bool BOOLEAN,
  k_date DATE,
  k_decimal DECIMAL(10, 2),
  events BIGINT,
  amount DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start, k_text, k_int, k_big, k_bool, k_date, k_decimal, COUNT(*), SUM(amount)
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '1' HOUR))
GROUP BY window_start, window_end, k_text, k_int, k_big, k_bool, k_date, k_decimal;
