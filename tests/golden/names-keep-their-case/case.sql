-- Names keep their case: columns that differ in case only are two columns; backquotes allow words, spaces
-- and dots.

CREATE TABLE events (
  userId STRING,
  userid STRING,
  `order` INT,
  `time zone` STRING,
  `Ts` TIMESTAMP(3),
  WATERMARK FOR `Ts` AS `Ts` - INTERVAL '1' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/events', 'format' = 'json');

CREATE TABLE results (
  `windowStart` TIMESTAMP(3),
  `USER` STRING,
  `user` STRING,
  `sum of order` BIGINT
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

insert into results
select window_start, MAX(userId), Min(userid), sum(CAST(`order` AS bigint))
from table(tumble(table events, descriptor(`Ts`), interval '1' minute))
where `time zone` <> 'x'
group by window_start, window_end;
