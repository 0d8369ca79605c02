-- Two projections of one table united: each row counts twice, once per role.

CREATE TABLE transfers (
  sender STRING,
  receiver STRING,
  amount DOUBLE,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/transfers', 'format' = 'json');

CREATE TABLE results (
  window_end TIMESTAMP(3),
  account STRING,
  balance DOUBLE,
  moves BIGINT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

CREATE TEMPORARY VIEW moves AS
SELECT sender AS account, -amount AS amount, ts FROM transfers
UNION ALL
SELECT receiver AS account, amount, ts FROM transfers;

INSERT INTO results
SELECT window_end, account, SUM(amount), COUNT(*)
FROM TABLE(TUMBLE(TABLE moves, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, account;
