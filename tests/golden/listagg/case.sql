-- LISTAGG joins text in order of arrival within one partition, skips NULLs, and has a comma by default.

CREATE TABLE readings (
  sensor STRING,
  note STRING,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' MINUTE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/readings', 'format' = 'json');

CREATE TABLE results (
  window_start TIMESTAMP(3),
  sensor STRING,
  by_comma STRING,
  by_arrow STRING
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_start, sensor, LISTAGG(note), LISTAGG(note, ' > ')
FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' MINUTES))
GROUP BY window_start, window_end, sensor;
