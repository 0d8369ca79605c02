-- A value of every type is read and written unchanged; a missing field is NULL.

CREATE TABLE t (
  bool_c BOOLEAN,
  tiny_c TINYINT,
  small_c SMALLINT,
  int_c INT,
  big_c BIGINT,
  float_c FLOAT,
  double_c DOUBLE,
  decimal_c DECIMAL(12, 3),
  char_c CHAR(3),
  text_c STRING,
  bytes_c BYTES,
  date_c DATE,
  time_c TIME,
  timestamp_c TIMESTAMP(3),
  instant_c TIMESTAMP_LTZ(3),
  array_c ARRAY<INT>,
  map_c MAP<STRING, DOUBLE>,
  row_c ROW<a INT, b ARRAY<STRING>>
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  bool_c BOOLEAN,
  tiny_c TINYINT,
  small_c SMALLINT,
  int_c INT,
  big_c BIGINT,
  float_c FLOAT,
  double_c DOUBLE,
  decimal_c DECIMAL(12, 3),
  char_c CHAR(3),
  text_c STRING,
  bytes_c BYTES,
  date_c DATE,
  time_c TIME,
  timestamp_c TIMESTAMP(3),
  instant_c TIMESTAMP_LTZ(3),
  array_c ARRAY<INT>,
  map_c MAP<STRING, DOUBLE>,
  row_c ROW<a INT, b ARRAY<STRING>>
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results SELECT * FROM t;
