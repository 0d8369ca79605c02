SET 'table.local-time-zone' = 'Europe/Berlin';
CREATE TABLE t (id INT, s STRING, at_time TIMESTAMP_LTZ(3), WATERMARK FOR at_time AS at_time)
WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
CREATE TABLE sink (r ROW<id INT, at_time TIMESTAMP(3)>)
WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
INSERT INTO sink SELECT ROW(id, at_time) FROM t;
