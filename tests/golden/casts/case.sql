-- CAST between text, numbers, decimals, dates and timestamps; TRY_CAST gives NULL for what cannot be read.

CREATE TABLE t (
  id INT,
  s STRING,
  d STRING,
  x DOUBLE,
  p DECIMAL(12, 4),
  ts TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  tried_int INT,
  tried_double DOUBLE,
  tried_decimal DECIMAL(10, 2),
  tried_date DATE,
  tried_timestamp TIMESTAMP(3),
  x_int BIGINT,
  x_decimal DECIMAL(10, 1),
  p_double DOUBLE,
  p_int INT,
  p_rounded DECIMAL(10, 1),
  ts_date DATE,
  ts_time TIME,
  date_ts TIMESTAMP(3),
  id_text STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id, TRY_CAST(s AS INT), TRY_CAST(s AS DOUBLE), TRY_CAST(s AS DECIMAL(10, 2)), TRY_CAST(d AS DATE),
       TRY_CAST(d AS TIMESTAMP(3)), CAST(x AS BIGINT), CAST(x AS DECIMAL(10, 1)), CAST(p AS DOUBLE),
       CAST(p AS INT), CAST(p AS DECIMAL(10, 1)), CAST(ts AS DATE), CAST(ts AS TIME),
       CAST(CAST(ts AS DATE) AS TIMESTAMP(3)), CAST(id AS STRING)
FROM t;
