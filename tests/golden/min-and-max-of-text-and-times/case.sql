-- MIN and MAX of text (by code point), dates, times, timestamps and decimals in a window.

CREATE TABLE events (
  s STRING,
  d DATE,
  t TIME,
  happened TIMESTAMP(3),
  p DECIMAL(8, 2),
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/events', 'format' = 'json');

CREATE TABLE results (
  window_start TIMESTAMP(3),
  s_min STRING,
  s_max STRING,
  d_min DATE,
  d_max DATE,
  t_min TIME,
  t_max TIME,
  happened_min TIMESTAMP(3),
  happened_max TIMESTAMP(3),
  p_min DECIMAL(8, 2),
  p_max DECIMAL(8, 2)
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start, MIN(s), MAX(s), MIN(d), MAX(d), MIN(t), MAX(t),
       MIN(happened), MAX(happened), MIN(p), MAX(p)
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '1' HOUR))
GROUP BY window_start, window_end;
