-- INSERT goes by position and casts to the declared types of the sink: wider integers, doubles, decimals,
-- timestamps.

CREATE TABLE t (
  a TINYINT,
  b INT,
  c INT,
  d FLOAT,
  e DECIMAL(10, 2),
  f SMALLINT,
  g TIMESTAMP(3),
  h VARCHAR(8)
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  small_to_big BIGINT,
  int_to_double DOUBLE,
  int_to_decimal DECIMAL(12, 3),
  float_to_double DOUBLE,
  decimal_to_scale DECIMAL(14, 4),
  short_to_float FLOAT,
  timestamp_to_micros TIMESTAMP(6),
  text STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results SELECT a, b, c, d, e, f, g, h FROM t;
