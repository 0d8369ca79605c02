-- SELECT * keeps columns in their declared order, computed ones included.

CREATE TABLE items (
  id INT,
  price DOUBLE,
  doubled AS price * 2,
  name STRING
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/items', 'format' = 'json');

CREATE TABLE results (
  a INT,
  b DOUBLE,
  c DOUBLE,
  d STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results SELECT * FROM items;
