-- DATE_FORMAT and the parsing functions take Java patterns: names, 12 hours, quoted text, parts left out.

CREATE TABLE t (
  id INT,
  ts TIMESTAMP(3),
  text_day STRING
) WITH ('connector' = 'filesystem', 'path' = '${CASE}/input/t', 'format' = 'json');

CREATE TABLE results (
  id INT,
  german STRING,
  named STRING,
  half_day STRING,
  iso_like STRING,
  short_year STRING,
  parsed_day DATE,
  parsed_time TIMESTAMP(3)
) WITH ('connector' = 'filesystem', 'path' = '${OUT}/results', 'format' = 'json');

INSERT INTO results
SELECT id,
       DATE_FORMAT(ts, 'dd.MM.yyyy'),
       DATE_FORMAT(ts, 'EEE, d MMM yyyy'),
       DATE_FORMAT(ts, 'hh:mm a'),
       DATE_FORMAT(ts, 'yyyy-MM-dd''T''HH:mm:ss'),
       DATE_FORMAT(ts, 'yyMMdd'),
       TO_DATE(text_day, 'dd/MM/yyyy'),
       TO_TIMESTAMP(text_day || ' 07', 'dd/MM/yyyy HH')
FROM t;
