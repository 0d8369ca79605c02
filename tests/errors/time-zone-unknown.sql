SET 'table.local-time-zone' = 'Europe/Berlinn';
CREATE TABLE t (id INT, s STRING, at_time TIMESTAMP_LTZ(3), WATERMARK FOR at_time AS at_time)
WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
SELECT id FROM t;
