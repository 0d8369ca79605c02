-- flink: no, streaming Flink refuses a total that can change, for a sink that only appends
-- Totals of no rows at all: ROLLUP and () still have their row, groups have none.

CREATE TABLE sales (
  country STRING,
  amount DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/sales', 'format' = 'json');

CREATE TABLE totals (
  country STRING,
  detail BIGINT,
  sales BIGINT,
  amount DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/totals', 'format' = 'json');

CREATE TABLE groups (
  country STRING,
  sales BIGINT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/groups', 'format' = 'json');

EXECUTE STATEMENT SET BEGIN
INSERT INTO totals
SELECT country, GROUPING(country), COUNT(*), SUM(amount)
FROM sales WHERE amount > 1 GROUP BY ROLLUP (country);
INSERT INTO groups
SELECT country, COUNT(*) FROM sales WHERE amount > 1 GROUP BY country;
END;
