CREATE TABLE shown (id STRING) WITH ('connector' = 'print');

SELECT id FROM shown;
