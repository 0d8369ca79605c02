-- Two tables, two pipelines, far apart in time: neither holds the other back.

CREATE TABLE web_sales (
  item STRING,
  price DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '10' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/web_sales', 'format' = 'json');

CREATE TABLE shop_sales (
  name STRING,
  cents BIGINT,
  sold_at TIMESTAMP(3),
  WATERMARK FOR sold_at AS sold_at - INTERVAL '30' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/shop_sales', 'format' = 'json');

CREATE TABLE web_results (
  window_start TIMESTAMP(3),
  sales BIGINT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/web_results', 'format' = 'json');

CREATE TABLE shop_results (
  window_start TIMESTAMP(3),
  sales BIGINT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/shop_results', 'format' = 'json');

EXECUTE STATEMENT SET
BEGIN
INSERT INTO web_results
SELECT window_start, COUNT(*)
FROM TABLE(TUMBLE(TABLE web_sales, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end;
INSERT INTO shop_results
SELECT window_start, COUNT(*)
FROM TABLE(TUMBLE(TABLE shop_sales, DESCRIPTOR(sold_at), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end;
END;
