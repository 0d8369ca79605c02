-- Values of a map by key: a missing key, a NULL value and a NULL map are all NULL.

CREATE TABLE events (
  id BIGINT,
  labels MAP<STRING, STRING>,
  counts MAP<STRING, BIGINT>
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/events', 'format' = 'json');

CREATE TABLE results (
  id BIGINT,
  env STRING,
  n BIGINT,
  labels INT,
  counts MAP<STRING, BIGINT>
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id, labels['env'], counts['n'] + 1, CARDINALITY(labels), counts FROM events;
