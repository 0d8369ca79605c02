-- Fields of nested rows by dots, in projections, filters and group keys. A field of a NULL row is NULL.

CREATE TABLE clicks (
  id BIGINT,
  who ROW<name STRING, address ROW<city STRING, zip INT>>,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/clicks', 'format' = 'json');

CREATE TABLE flat (
  id BIGINT,
  name STRING,
  city STRING,
  zip INT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/flat', 'format' = 'json');

CREATE TABLE per_city (
  window_start TIMESTAMP(3),
  city STRING,
  clicks BIGINT,
  highest_zip INT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/per_city', 'format' = 'json');

EXECUTE STATEMENT SET
BEGIN
INSERT INTO flat
SELECT id, c.who.name, c.who.address.city, c.who.address.zip FROM clicks AS c WHERE id <> 3;
INSERT INTO per_city
SELECT window_start, city, COUNT(*), MAX(zip)
FROM (
  SELECT window_start, window_end, who.address.city AS city, who.address.zip AS zip
  FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '1' HOUR))
)
GROUP BY window_start, window_end, city;
END;
