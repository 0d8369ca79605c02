-- Window results of text, maps and rows built in the query.

CREATE TABLE orders (
  order_id STRING,
  user_id STRING,
  total_amount DOUBLE,
  status STRING,
  created_at TIMESTAMP(3),
  WATERMARK FOR created_at AS created_at - INTERVAL '30' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/orders', 'format' = 'json');

CREATE TABLE results (
  window_end TIMESTAMP(3),
  summary ROW<status STRING, orders BIGINT>,
  labels MAP<STRING, STRING>,
  sizes ARRAY<DOUBLE>
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT window_end, ROW(status, COUNT(*)), MAP['status', status, 'kind', 'order'],
       ARRAY[MIN(total_amount), MAX(total_amount)]
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, status;
