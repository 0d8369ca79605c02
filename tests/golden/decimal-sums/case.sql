-- Sums of decimals are exact, also where doubles are not, and keep the scale.

CREATE TABLE payments (
  account INT,
  amount DECIMAL(20, 4),
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/payments', 'format' = 'json');

CREATE TABLE results (
  account INT,
  total DECIMAL(38, 4),
  smallest DECIMAL(20, 4),
  largest DECIMAL(20, 4),
  payments BIGINT,
  doubled DECIMAL(22, 4)
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT account, SUM(amount), MIN(amount), MAX(amount), COUNT(amount), MAX(amount) * 2
FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '1' DAY))
GROUP BY window_start, window_end, account;
