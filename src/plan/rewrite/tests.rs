use std::sync::Arc;

use super::{rewrite, rewrite_expr};
use crate::error::{Result, SourceText};
use crate::sql::statement::{ColumnKind, Statement};
use crate::sql::{parse, span};
use sqlparser::ast::{Query, Spanned};

fn source(text: &str) -> Arc<SourceText> {
    Arc::new(SourceText { name: "q.sql".into(), text: text.into() })
}

fn query(text: &str) -> Result<Query> {
    let source = source(text);
    let mut script = parse(&source, &|_| Ok(None))?;
    let Some(Statement::Select(mut select)) = script.statements.pop() else { panic!("not a query") };
    rewrite(&mut select.query, false, &source)?;
    Ok(*select.query)
}

fn rewritten(text: &str) -> String {
    match query(text) {
        Ok(query) => query.to_string(),
        Err(error) => panic!("{error}"),
    }
}

fn refusal(text: &str) -> String {
    match query(text) {
        Ok(query) => panic!("accepted: {query}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn intervals_become_text() {
    let cases = [
        ("INTERVAL '1' MINUTE", "INTERVAL '1 minutes'"),
        ("INTERVAL '1:30' HOUR TO MINUTE", "INTERVAL '90 minutes'"),
        ("INTERVAL '1 02:03:04' DAY TO SECOND", "INTERVAL '93784 seconds'"),
        ("INTERVAL '1 02:03:04.5' DAY TO SECOND(3)", "INTERVAL '93784500 milliseconds'"),
        ("INTERVAL '0.25' SECOND", "INTERVAL '250 milliseconds'"),
        ("INTERVAL '10' DAY(2)", "INTERVAL '10 days'"),
        ("INTERVAL '1-2' YEAR TO MONTH", "INTERVAL '14 months'"),
        ("INTERVAL '-5' SECONDS", "INTERVAL '-5 seconds'"),
        ("INTERVAL 2 WEEK", "INTERVAL '14 days'"),
        ("INTERVAL '1 hour 30 min'", "INTERVAL '90 minutes'"),
        ("INTERVAL '1 month 2 days'", "INTERVAL '1 months 2 days'"),
        ("INTERVAL '01:02:03'", "INTERVAL '01:02:03'"),
    ];
    for (written, expected) in cases {
        assert_eq!(rewritten(&format!("SELECT {written}")), format!("SELECT {expected}"));
    }
    assert!(refusal("SELECT INTERVAL '1:30' MINUTE").contains("^^^^^^ not a number of MINUTE"));
    assert!(refusal("SELECT INTERVAL '5'").contains("^^^^^^^^^^^^ of what?"));
    assert!(refusal("SELECT INTERVAL 'x' HOUR TO SECOND").contains("not a number of HOUR TO SECOND"));
}

#[test]
fn fields_of_elements_are_named_in_quotes() {
    assert_eq!(rewritten("SELECT items[1].name, a.b.c FROM t"), "SELECT items[1].'name', a.b.c FROM t");
}

#[test]
fn rewritten_nodes_keep_their_places() {
    let text = "SELECT a +\n  INTERVAL '1' MINUTE, FLOOR(b TO DAY) FROM t";
    let query = query(text).unwrap();
    let place = span::of(query.body.as_select().unwrap().projection[0].span()).unwrap();
    assert_eq!(span::text(&source(text), place), "a +\n  INTERVAL '1' MINUTE");
}

#[test]
fn units_become_arguments() {
    assert_eq!(
        rewritten("SELECT FLOOR(ts TO MINUTE), CEIL(a.ts TO YEAR), FLOOR(x), CEIL(y), FLOOR(ts TO WEEK)"),
        "SELECT __floor_to('MINUTE', ts), __ceil_to('YEAR', a.ts), FLOOR(x), CEIL(y), __floor_to('WEEK', ts)"
    );
    assert_eq!(
        rewritten(
            "SELECT TIMESTAMPADD(MINUTE, 5, ts), timestampdiff(SQL_TSI_DAY, a, b), EXTRACT(HOUR FROM ts)"
        ),
        "SELECT TIMESTAMPADD('MINUTE', 5, ts), timestampdiff('DAY', a, b), EXTRACT(HOUR FROM ts)"
    );
    assert_eq!(rewritten("SELECT TIMESTAMPADD(DAYS, 5, ts)"), "SELECT TIMESTAMPADD('DAY', 5, ts)");
    assert_eq!(
        refusal("SELECT TIMESTAMPADD(FORTNIGHT, 5, ts)"),
        "error: not a unit of time
  --> q.sql:1:21
   |
 1 | SELECT TIMESTAMPADD(FORTNIGHT, 5, ts)
   |                     ^^^^^^^^^
   = fix: use SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER or YEAR, without quotes"
    );
}

#[test]
fn window_table_functions_are_left_as_they_are() {
    for (written, expected) in [
        (
            "SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))",
            "SELECT * FROM TABLE(TUMBLE(t, DESCRIPTOR(ts), INTERVAL '1 minutes'))",
        ),
        (
            "SELECT * FROM TABLE(HOP(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '1' DAY,
             SIZE => INTERVAL '7' DAY, OFFSET => INTERVAL '-8' HOUR)) AS w",
            "SELECT * FROM TABLE(HOP(DATA => t, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '1 days', \
             SIZE => INTERVAL '7 days', OFFSET => INTERVAL '-8 hours')) AS w",
        ),
        (
            "SELECT * FROM TUMBLE(t, ts, INTERVAL '1 minute')",
            "SELECT * FROM TUMBLE(t, ts, INTERVAL '1 minutes')",
        ),
        (
            "SELECT * FROM TABLE(SESSION(TABLE t PARTITION BY (a, b), DESCRIPTOR(ts), INTERVAL '1' HOUR))",
            "SELECT * FROM TABLE(SESSION(TABLE_PARTITION_BY(t, a, b), DESCRIPTOR(ts), INTERVAL '1 hours'))",
        ),
        (
            "SELECT * FROM SESSION(TABLE `my t` PARTITION BY a, DESCRIPTOR(ts), INTERVAL '1' HOUR)",
            "SELECT * FROM SESSION(TABLE_PARTITION_BY(`my t`, a), DESCRIPTOR(ts), INTERVAL '1 hours')",
        ),
    ] {
        assert_eq!(rewritten(written), expected);
    }
}

#[test]
fn old_windows_become_table_functions() {
    for (written, expected) in [
        (
            "SELECT TUMBLE_START(ts, INTERVAL '10' MINUTE),
             tumble_end(o.ts, INTERVAL '10' MINUTE), k, COUNT(*)
             FROM orders AS o WHERE k > 1 GROUP BY k, TUMBLE(ts, INTERVAL '10' MINUTE)
             HAVING TUMBLE_START(ts, INTERVAL '10' MINUTE) > x ORDER BY TUMBLE_END(ts, INTERVAL '10' MINUTE)",
            "SELECT window_start, window_end, k, COUNT(*) \
             FROM TABLE(TUMBLE(orders, DESCRIPTOR(ts), INTERVAL '10 minutes')) AS o WHERE k > 1 \
             GROUP BY k, window_start, window_end HAVING window_start > x ORDER BY window_end",
        ),
        (
            "SELECT COUNT(*), HOP_ROWTIME(ts, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE) AS r
             FROM (SELECT * FROM t) GROUP BY HOP(ts, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE)",
            "SELECT COUNT(*), window_time AS r FROM TABLE(HOP((SELECT * FROM t), DESCRIPTOR(ts), \
             INTERVAL '1 minutes', INTERVAL '5 minutes')) GROUP BY window_start, window_end, window_time",
        ),
        (
            "SELECT t.k, COUNT(*) FROM t WHERE a = 1 GROUP BY t.k, SESSION(ts, INTERVAL '1' HOUR)",
            "SELECT t.k, COUNT(*) FROM TABLE(SESSION(TABLE_PARTITION_BY((SELECT * FROM t WHERE a = 1), k), \
             DESCRIPTOR(ts), INTERVAL '1 hours')) AS t GROUP BY t.k, window_start, window_end",
        ),
        (
            "SELECT COUNT(*) FROM t GROUP BY SESSION(ts, INTERVAL '1' HOUR)",
            "SELECT COUNT(*) FROM TABLE(SESSION(t, DESCRIPTOR(ts), INTERVAL '1 hours')) \
             GROUP BY window_start, window_end",
        ),
        (
            "SELECT * FROM (SELECT TUMBLE_ROWTIME(ts, INTERVAL '1' DAY) AS d FROM t
             GROUP BY TUMBLE(ts, INTERVAL '1' DAY)) GROUP BY TUMBLE(d, INTERVAL '7' DAY)",
            "SELECT * FROM TABLE(TUMBLE((SELECT window_time AS d FROM TABLE(TUMBLE(t, DESCRIPTOR(ts), \
             INTERVAL '1 days')) GROUP BY window_start, window_end, window_time), DESCRIPTOR(d), \
             INTERVAL '7 days')) GROUP BY window_start, window_end",
        ),
        (
            "SELECT COUNT(*) FROM t GROUP BY TUMBLE(ts, INTERVAL '1' DAY) UNION ALL SELECT 1",
            "SELECT COUNT(*) FROM TABLE(TUMBLE(t, DESCRIPTOR(ts), INTERVAL '1 days')) \
             GROUP BY window_start, window_end UNION ALL SELECT 1",
        ),
    ] {
        let got = rewritten(written);
        assert_eq!(got, expected);
        // What is written out is read in again, and has nothing left to rewrite.
        assert_eq!(rewritten(&got), expected);
    }
}

#[test]
fn old_windows_that_mean_something_else_are_refused() {
    assert_eq!(
        refusal("SELECT TUMBLE_END(ts, INTERVAL '2' DAY)\nFROM t GROUP BY TUMBLE(ts, INTERVAL '1' DAY)"),
        "error: `TUMBLE_END` has other arguments than the `TUMBLE` in GROUP BY
  --> q.sql:1:8
   |
 1 | SELECT TUMBLE_END(ts, INTERVAL '2' DAY)
   |        ^^^^^^^^^^ of which window?
   = fix: write the same arguments in both places"
    );
    let day = "TUMBLE(ts, INTERVAL '1' DAY)";
    for (text, expected) in [
        (
            format!("SELECT 1 FROM a JOIN b ON a.x = b.x GROUP BY {day}"),
            "needs one table or subquery in FROM",
        ),
        (format!("SELECT 1 FROM a, b GROUP BY {day}"), "put the join into a subquery"),
        (format!("SELECT 1 FROM a GROUP BY {day}, HOP(ts, x, y)"), " the second window"),
        (
            "SELECT 1 FROM a GROUP BY TUMBLE(PROCTIME(), INTERVAL '1' DAY)".into(),
            "windows over the wall clock",
        ),
        ("SELECT 1 FROM a GROUP BY HOP(ts, INTERVAL '1' DAY)".into(), "wrong arguments of `HOP` in GROUP BY"),
        ("SELECT 1 FROM a GROUP BY UPPER(k), SESSION(ts, x)".into(), "^ not a column"),
        (format!("SELECT TUMBLE_PROCTIME(ts, x) FROM a GROUP BY {day}"), "write `TUMBLE_ROWTIME`"),
        ("SELECT TUMBLE_START(ts, x) FROM a".into(), "belongs to a query that groups by `TUMBLE(…)`"),
    ] {
        let error = refusal(&text);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn what_would_be_left_out_in_silence_is_refused() {
    assert_eq!(
        refusal("SELECT * FROM o JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.c = r.c"),
        "error: temporal joins (`FOR SYSTEM_TIME AS OF`) are not supported yet
  --> q.sql:1:22
   |
 1 | SELECT * FROM o JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.c = r.c
   |                      ^^^^^ a version of this table
   = without it, each row would be joined with all versions, not with that of its time
   = fix: join with the latest rows of a window, or with a table that does not change"
    );
    for (text, expected) in [
        ("SELECT * FROM t TABLESAMPLE BERNOULLI (10)", "`TABLESAMPLE` is not supported"),
        ("SELECT * FROM t FOR UPDATE", "`FOR UPDATE` is not supported"),
        ("SELECT * FROM t DISTRIBUTE BY a", "`DISTRIBUTE BY` or `CLUSTER BY` is not supported"),
        ("SELECT * FROM t SORT BY a", "`SORT BY` is not supported"),
        ("SELECT * FROM t LATERAL VIEW explode(a) x", "write `CROSS JOIN UNNEST(array) AS t (item)`"),
        ("SELECT * FROM t FETCH FIRST 3 ROWS WITH TIES", "`FETCH … WITH TIES` or `PERCENT` is not supported"),
        ("SELECT a INTO b FROM t", "write `INSERT INTO … SELECT …`"),
        ("SELECT * FROM t, LATERAL TABLE(f(a)) AS x (b)", "`LATERAL TABLE(…)` is not supported"),
        ("SELECT * FROM t WITH (NOLOCK)", "a hint is not supported"),
        (
            "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS x > 1)",
            "`MATCH_RECOGNIZE` is not supported",
        ),
        ("SELECT 1 WHERE a IN (SELECT b FROM t FOR UPDATE)", "`FOR UPDATE` is not supported"),
    ] {
        let error = refusal(text);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn fetch_is_limit() {
    assert_eq!(
        rewritten("SELECT a FROM t ORDER BY a FETCH FIRST 3 ROWS ONLY"),
        "SELECT a FROM t ORDER BY a LIMIT 3"
    );
    assert_eq!(rewritten("SELECT a FROM t OFFSET 2 FETCH NEXT ROW ONLY"), "SELECT a FROM t LIMIT 1 OFFSET 2");
}

#[test]
fn computed_columns_are_rewritten_too() {
    let text = "CREATE TABLE t (a TIMESTAMP(3), b AS FLOOR((a + INTERVAL '1' DAY) TO HOUR))";
    let source = source(text);
    let Statement::CreateTable(table) = parse(&source, &|_| Ok(None)).unwrap().statements.remove(0) else {
        panic!("not a table")
    };
    let ColumnKind::Computed(mut expr) = table.columns[1].kind.clone() else { panic!("not computed") };
    rewrite_expr(&mut expr, &source).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(expr.to_string(), "__floor_to('HOUR', (a + INTERVAL '1 days'))");
}
