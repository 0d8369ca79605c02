use std::sync::Arc;

use crate::error::{SourceText, Span};
use crate::sql::statement::{
    ColumnKind, CreateTable, Insert, LikeMerge, MetadataKey, Script, SetOption, Statement,
};
use crate::sql::types::SqlType;
use crate::sql::{parse, span};

pub(super) fn source(text: &str) -> Arc<SourceText> {
    Arc::new(SourceText { name: "q.sql".into(), text: text.into() })
}

fn environment(name: &str) -> Result<Option<String>, String> {
    Ok(match name {
        "BROKERS" => Some("kafka:9092".into()),
        "SECRET" => Some("hunter2'; DROP".into()),
        "EMPTY" => Some(String::new()),
        "file:/run/password" => Some("from a file".into()),
        "file:/root/password" => return Err("permission denied".into()),
        _ => None,
    })
}

fn script(text: &str) -> Script {
    match parse(&source(text), &environment) {
        Ok(script) => script,
        Err(error) => panic!("{error}"),
    }
}

pub(super) fn table(text: &str) -> CreateTable {
    match script(text).statements.remove(0) {
        Statement::CreateTable(table) => table,
        other => panic!("{other:?}"),
    }
}

fn insert(script: &Script, at: usize) -> &Insert {
    match &script.statements[at] {
        Statement::Insert(insert) => insert,
        other => panic!("{other:?}"),
    }
}

fn refusal(text: &str) -> String {
    match parse(&source(text), &environment) {
        Ok(script) => panic!("accepted: {:?}", script.statements),
        Err(error) => error.to_string(),
    }
}

const ORDERS: &str = "-- orders
CREATE TEMPORARY TABLE IF NOT EXISTS orders (
  `order id` STRING COMMENT 'the id',
  userId BIGINT NOT NULL,
  items ARRAY<ROW<sku STRING, tags MAP<STRING, ARRAY<INT>>>>,
  created_at TIMESTAMP(3),
  day AS DATE_FORMAT(created_at, 'yyyy'), /* a computed one */
  at_broker TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `partition` INT METADATA VIRTUAL COMMENT 'where',
  PRIMARY KEY (`order id`, userId) NOT ENFORCED,
  WATERMARK FOR created_at AS created_at - INTERVAL '1:30' MINUTE TO SECOND
) COMMENT 'all of them' PARTITIONED BY (userId) WITH (
  'connector' = 'kafka', 'properties.bootstrap.servers' = '${BROKERS:-localhost:9092}',
  'properties.sasl.password' = '${SECRET}', 'topic' = '${TOPIC:-${EMPTY:-orders}}'
);";

#[test]
fn create_table_is_read_in_full() {
    let table = table(ORDERS);
    assert!(table.temporary && table.if_not_exists);
    assert_eq!(table.name.value, "orders");
    let columns: Vec<(&str, String, bool)> = table
        .columns
        .iter()
        .map(|column| {
            let ty = column.ty.as_ref().map_or(String::new(), ToString::to_string);
            (column.name.value.as_str(), ty, column.not_null)
        })
        .collect();
    assert_eq!(
        columns,
        [
            ("order id", "STRING".to_owned(), false),
            ("userId", "BIGINT".to_owned(), true),
            ("items", "ARRAY<ROW<`sku` STRING, `tags` MAP<STRING, ARRAY<INT>>>>".to_owned(), false),
            ("created_at", "TIMESTAMP(3)".to_owned(), false),
            ("day", String::new(), false),
            ("at_broker", "TIMESTAMP_LTZ(3)".to_owned(), false),
            ("partition", "INT".to_owned(), false),
        ]
    );
    let ColumnKind::Computed(expr) = &table.columns[4].kind else { panic!("not computed") };
    assert_eq!(expr.to_string(), "DATE_FORMAT(created_at, 'yyyy')");
    let kinds: Vec<(MetadataKey, bool)> = table
        .columns
        .iter()
        .filter_map(|column| match column.kind {
            ColumnKind::Metadata { key, is_virtual } => Some((key, is_virtual)),
            _ => None,
        })
        .collect();
    assert_eq!(kinds, [(MetadataKey::Timestamp, true), (MetadataKey::Partition, true)]);
    let watermark = table.watermark.as_ref().unwrap();
    assert_eq!((watermark.column.value.as_str(), watermark.delay_micros), ("created_at", 90_000_000));
    let keys: Vec<&str> = table.primary_key.iter().map(|name| name.value.as_str()).collect();
    assert_eq!(keys, ["order id", "userId"]);
    assert_eq!(table.partitioned_by[0].value, "userId");
}

#[test]
fn values_are_substituted_and_places_stay_those_of_the_file() {
    let table = table(ORDERS);
    let values: Vec<&str> = table.options.iter().map(|option| option.value.as_str()).collect();
    assert_eq!(values, ["kafka", "kafka:9092", "hunter2'; DROP", "orders"]);
    let password = &table.options[2];
    assert_eq!(span::text(&source(ORDERS), password.value_span), "'${SECRET}'");
    assert_eq!(span::text(&source(ORDERS), table.options[3].key_span), "'topic'");
    assert_eq!(
        span::text(&source(ORDERS), table.watermark.unwrap().expr_span),
        "created_at - INTERVAL '1:30' MINUTE TO SECOND"
    );
    assert_eq!(span::text(&source(ORDERS), table.columns[5].span).lines().count(), 1);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    assert_eq!(
        refusal("SELECT '${file:/root/password:-x}'"),
        "error: file `/root/password` cannot be read
  --> q.sql:1:9
   |
 1 | SELECT '${file:/root/password:-x}'
   |         ^^^^^^^^^^^^^^^^^^^^^^^^^ permission denied
   = fix: let the user that runs Windrow read it; its content must be UTF-8"
    );
}

#[test]
fn strings_of_queries_are_substituted_too() {
    let script = script("SELECT '${file:/run/password}', '$x ${EMPTY}', 'a${EMPTY:-b}c'");
    let Statement::Select(select) = &script.statements[0] else { panic!("not a query") };
    assert_eq!(select.query.to_string(), "SELECT 'from a file', '$x ', 'abc'");
}

#[test]
fn statements_are_split_and_sets_are_numbered() {
    let text = "SET 'pipeline.name' = 'a;b'; SET execution.checkpointing.interval = 100 ms;
        ;;CREATE VIEW v (a) COMMENT 'x' AS SELECT 1; CREATE TABLE t (a INT) WITH ('connector' = 'print');
        EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT a FROM v; INSERT INTO t (a) VALUES (1), (2); END;
        BEGIN STATEMENT SET; INSERT INTO t (SELECT 1); END;
        EXECUTE INSERT INTO t TABLE_SAFE";
    let cut = text.rsplit_once(';').unwrap().0;
    let script = script(cut);
    let sets: Vec<(&str, &str)> = script
        .statements
        .iter()
        .filter_map(|statement| match statement {
            Statement::Set(SetOption { key, value, .. }) => Some((key.as_str(), value.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(sets, [("pipeline.name", "a;b"), ("execution.checkpointing.interval", "100 ms")]);
    assert_eq!(script.statements.len(), 7);
    assert_eq!(insert(&script, 4).statement_set, Some(0));
    assert_eq!(insert(&script, 5).columns[0].value, "a");
    assert_eq!(insert(&script, 6).statement_set, Some(1));
    assert_eq!(insert(&script, 6).columns.len(), 0);
}

#[test]
fn emit_changes_is_not_an_alias() {
    let text = "INSERT INTO s SELECT COUNT(*) FROM t EMIT CHANGES EVERY INTERVAL '10' SECOND;
        SELECT a FROM t EMIT CHANGES";
    let script = script(text);
    assert_eq!(insert(&script, 0).query.to_string(), "SELECT COUNT(*) FROM t");
    assert_eq!(insert(&script, 0).emit.unwrap().every_micros, Some(10_000_000));
    let Statement::Select(select) = &script.statements[1] else { panic!("not a query") };
    assert_eq!(select.emit.unwrap().every_micros, None);
    assert_eq!(select.span, Span::new((2, 9), (2, 37)));
}

#[test]
fn like_takes_over_what_flink_takes_over_by_default() {
    let like = |text: &str| table(text).like.unwrap();
    let plain = like("CREATE TABLE a WITH ('topic' = 'x') LIKE b");
    assert_eq!((plain.table.value.as_str(), plain.options.options), ("b", LikeMerge::Overwriting));
    let chosen =
        like("CREATE TABLE a LIKE b (EXCLUDING ALL INCLUDING GENERATED OVERWRITING WATERMARKS)").options;
    assert_eq!(
        (chosen.options, chosen.generated, chosen.watermarks, chosen.constraints),
        (LikeMerge::Excluding, LikeMerge::Including, LikeMerge::Overwriting, false)
    );
}

#[test]
fn every_spelling_of_a_type_is_understood() {
    let cases = [
        ("CHAR(3)", "STRING"),
        ("CHARACTER VARYING(10)", "STRING"),
        ("VARBINARY(10)", "BYTES"),
        ("DOUBLE PRECISION", "DOUBLE"),
        ("NUMERIC(20)", "DECIMAL(20, 0)"),
        ("DEC", "DECIMAL(10, 0)"),
        ("DECIMAL(38, 38)", "DECIMAL(38, 38)"),
        ("TIME", "TIME(0)"),
        ("TIME(3) WITHOUT TIME ZONE", "TIME(3)"),
        ("TIMESTAMP", "TIMESTAMP(6)"),
        ("TIMESTAMP(9) WITHOUT TIME ZONE", "TIMESTAMP(9)"),
        ("TIMESTAMP(3) WITH LOCAL TIME ZONE", "TIMESTAMP_LTZ(3)"),
        ("TIMESTAMP WITH LOCAL TIME ZONE", "TIMESTAMP_LTZ(6)"),
        ("INT NOT NULL ARRAY NOT NULL", "ARRAY<INT>"),
        ("ROW(a INT 'an int', `b c` ROW<d DATE NULL>)", "ROW<`a` INT, `b c` ROW<`d` DATE>>"),
        ("MAP<STRING NOT NULL, ARRAY<ARRAY<TINYINT>>>", "MAP<STRING, ARRAY<ARRAY<TINYINT>>>"),
        ("boolean", "BOOLEAN"),
    ];
    for (declared, expected) in cases {
        let table = table(&format!("CREATE TABLE t (a {declared}, b INT)"));
        assert_eq!(table.columns[0].ty.as_ref().unwrap().to_string(), expected, "{declared}");
        assert_eq!(table.columns.len(), 2, "{declared}");
    }
}

#[test]
fn statements_we_do_not_have_are_refused_by_name() {
    assert_eq!(
        refusal("SELECT 1;\nDROP TABLE t;"),
        "error: `DROP` statements are not supported
  --> q.sql:2:1
   |
 2 | DROP TABLE t;
   | ^^^^
   = a file consists of CREATE TABLE, CREATE VIEW, INSERT INTO, SELECT, SET and \
EXECUTE STATEMENT SET statements
   = fix: a file declares each table once: change or remove its CREATE TABLE"
    );
    let cases = [
        ("ALTER TABLE t ADD a INT", "`ALTER` statements are not supported"),
        ("EXPLAIN SELECT 1", "run `windrow explain FILE.sql`"),
        ("UPDATE t SET a = 1", "a stream is not edited"),
        ("USE CATALOG x", "there are no catalogs, jars or modules to choose"),
        ("FOO BAR", "`FOO` statements are not supported"),
        ("= 1", "a statement cannot start like this"),
        ("CREATE CATALOG c WITH ('a' = 'b')", "only tables and views can be created"),
        ("CREATE TEMPORARY FUNCTION f AS 'x'", "only tables and views can be created"),
        ("CREATE OR REPLACE TABLE t (a INT)", "`CREATE OR REPLACE` is not supported"),
        ("CREATE TABLE t AS SELECT 1", "`CREATE TABLE … AS SELECT` is not supported"),
        ("CREATE TABLE c.d.t (a INT)", "^^^^^ a name of several parts"),
        ("INSERT OVERWRITE t SELECT 1", "`INSERT OVERWRITE` is not supported"),
        ("INSERT INTO t PARTITION (a = 1) SELECT 1", "`INSERT INTO … PARTITION (…)` is not supported"),
        ("EXECUTE STATEMENT SET BEGIN SELECT 1; END", "a statement set contains only INSERT statements"),
        ("BEGIN STATEMENT SET; INSERT INTO t SELECT 1;", "the statement set is not closed"),
        ("END;", "`END` without a statement set"),
        ("CREATE VIEW v AS SELECT 1 EMIT CHANGES", "`EMIT CHANGES` belongs to the INSERT or SELECT"),
        ("SELECT 1 EMIT CHANGES EVERY INTERVAL '1' MONTH", "needs an interval of a fixed length above zero"),
        ("SELECT a FROM t /*+ OPTIONS('a'='b') */", "hints are not supported"),
    ];
    for (text, expected) in cases {
        let error = refusal(text);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn syntax_errors_say_what_is_expected_and_where() {
    assert_eq!(
        refusal("CREATE TABLE t (\n  a INT\n  b STRING\n)"),
        "error: syntax error: expected `,` or `)`, found `b`
  --> q.sql:3:3
   |
 3 |   b STRING
   |   ^ expected `,` or `)`"
    );
    assert_eq!(
        refusal("SELECT a FROM t WHERE"),
        "error: syntax error: expected an expression, found the end of the statement
  --> q.sql:1:22
   |
 1 | SELECT a FROM t WHERE
   |                      ^ expected an expression"
    );
    let cases = [
        ("SELECT a FROM t GROUP a", "expected the end of the statement, found `GROUP`"),
        ("SELECT (a FROM t", "expected `)`, found `FROM`"),
        ("INSERT INTO t", "expected `SELECT` or `VALUES`, found the end of the statement"),
        ("CREATE TABLE t (a INT) WITH (connector = 'kafka')", "expected an option's name in single quotes"),
        ("CREATE TABLE t (a INT) WITH ('a' = 'b'", "expected `,` or `)`, found the end of the statement"),
        ("CREATE TABLE t (a INT) WITH ('a' = 'b' 'c' = 'd')", "expected `,` or `)`, found `'c'`"),
        ("SET", "expected `'key' = 'value'`"),
        ("SELECT JSON_VALUE(d, 'x' ERROR ON ERROR)", "expected `DEFAULT`, `NULL`, `RETURNING` or `)`, found"),
        ("SELECT 'a", "syntax error: unterminated string literal"),
    ];
    for (text, expected) in cases {
        let error = refusal(text);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn messages_quote_the_file_and_never_a_substituted_value() {
    for text in [
        "SELECT 'x' '${SECRET}' 'y' FROM",
        "CREATE TABLE t (a INT) WITH ('k' = 'v' '${SECRET}')",
        "CREATE TABLE t (a INT METADATA FROM '${SECRET}')",
        "SELECT a FROM t LIMIT '${SECRET}' '${SECRET}'",
        "SET 'a' = 'b' '${SECRET}'",
        "INSERT INTO '${SECRET}' SELECT 1",
    ] {
        let error = refusal(text);
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn unset_variables_are_named_and_underlined() {
    assert_eq!(
        refusal("CREATE TABLE t (a INT) WITH (\n  'topic' = 'it''s ${PREFIX}-orders')"),
        "error: environment variable `PREFIX` is not set
  --> q.sql:2:20
   |
 2 |   'topic' = 'it''s ${PREFIX}-orders')
   |                    ^^^^^^^^^ has no value and no default
   = fix: set it (`export PREFIX=…`), or give a default: `${PREFIX:-default}`"
    );
    assert!(refusal("SELECT '${a b}'").contains("`a b` is not the name of a variable"));
    assert!(refusal("SELECT '${A'").contains("`${` without a closing brace"));
    assert!(refusal("SELECT '${file:/none}'").contains("there is no file `/none`"));
    assert!(refusal("SELECT '${X:-${Y}}'").contains("environment variable `Y` is not set"));
}

#[test]
fn tables_that_contradict_themselves_are_refused() {
    assert_eq!(
        refusal("CREATE TABLE t (ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' MONTH)"),
        "error: a watermark is the event time column, less a fixed interval
  --> q.sql:1:54
   |
 1 | CREATE TABLE t (ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' MONTH)
   |                                                      ^^^^^^^^^^^^^^^^^^^^^^^ a month has no fixed length
   = fix: write `WATERMARK FOR ts AS ts - INTERVAL '5' SECOND`"
    );
    let cases = [
        ("(a INT, a INT)", "column `a` is declared twice"),
        ("(user_id INT, PRIMARY KEY (usr_id) NOT ENFORCED)", "did you mean `user_id`?"),
        ("(a INT, PRIMARY KEY (a))", "a primary key of a stream cannot be enforced"),
        ("(a INT PRIMARY KEY NOT ENFORCED, PRIMARY KEY (a) NOT ENFORCED)", "two primary keys"),
        ("(a INT, UNIQUE (a))", "UNIQUE constraints are not supported"),
        ("(a INT DEFAULT 1)", "this column constraint is not supported"),
        ("(t TIMESTAMP, WATERMARK FOR t AS t, WATERMARK FOR t AS t)", "has two watermarks"),
        ("(t TIMESTAMP, WATERMARK FOR t AS SOURCE_WATERMARK())", "Kafka has no watermarks of its own"),
        ("(t TIMESTAMP, WATERMARK FOR t AS other - INTERVAL '1' SECOND)", "WATERMARK FOR t AS t - INTERVAL"),
        ("(a STRING METADATA FROM 'leader-epoch')", "a record has no such metadata"),
        ("(a INT) WITH ('k' = 'v', 'k' = 'w')", "option `k` is given twice"),
        ("(a INT) LIKE b (INCLUDING EVERYTHING)", "not a LIKE option"),
        ("(a INT) DISTRIBUTED BY HASH(a) INTO 4 BUCKETS", "`DISTRIBUTED BY` is not supported"),
        ("(a BIGINT UNSIGNED)", "there are no unsigned integers"),
        ("(a ROW<b UUID>)", "use STRING"),
        ("(a DECIMAL(39, 2))", "1 to 38 digits"),
        ("(a DECIMAL(3, 4))", "no such decimal"),
        ("(a TIMESTAMP(10))", "10 is too large here"),
        ("(a TIMESTAMP(3) WITH TIME ZONE)", "write `TIMESTAMP_LTZ(3)`: a point in time"),
        ("(a ARRAY<INT>>)", "expected one `>` less before"),
        ("(a ROW<b INT, b INT>)", "field `b` is declared twice"),
        ("(a GEOMETRY)", "the types are BOOLEAN, TINYINT"),
    ];
    for (rest, expected) in cases {
        let error = refusal(&format!("CREATE TABLE t {rest}"));
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_cast_names_the_types_a_column_can_have() {
    let cases = [
        ("TIMESTAMP(3)", "TIMESTAMP(3)"),
        ("TIMESTAMP_LTZ(3)", "TIMESTAMP_LTZ(3)"),
        ("TIMESTAMP(3) WITH LOCAL TIME ZONE", "TIMESTAMP_LTZ(3)"),
        ("ROW<a INT, b ARRAY<STRING>>", "ROW<`a` INT, `b` ARRAY<STRING>>"),
        ("MAP<STRING, DECIMAL(10, 2)>", "MAP<STRING, DECIMAL(10, 2)>"),
        ("BYTES", "BYTES"),
        ("TIME(3)", "TIME(3)"),
        ("DOUBLE PRECISION", "DOUBLE"),
    ];
    for (written, expected) in cases {
        let script = script(&format!("SELECT CAST(x AS {written}) FROM t"));
        let Statement::Select(select) = &script.statements[0] else { panic!("not a query") };
        let projection = &select.query.body.as_select().unwrap().projection[0];
        let sqlparser::ast::SelectItem::UnnamedExpr(sqlparser::ast::Expr::Cast { data_type, .. }) =
            projection
        else {
            panic!("not a cast")
        };
        assert_eq!(SqlType::from_ast(data_type).unwrap().to_string(), expected, "{written}");
    }
}

#[test]
fn flinks_forms_of_expressions_are_read() {
    for (written, expected) in [
        ("MAP['a', x, 'b', 1]", "make_map('a', x, 'b', 1)"),
        ("MAP['a', 1]['a']", "make_map('a', 1)['a']"),
        ("a BETWEEN SYMMETRIC 3 AND 1 AND b", "(a BETWEEN 3 AND 1 OR a BETWEEN 1 AND 3) AND b"),
        ("a NOT BETWEEN ASYMMETRIC 1 AND 3", "NOT (a BETWEEN 1 AND 3)"),
        ("a BETWEEN 1 AND 3", "a BETWEEN 1 AND 3"),
        ("JSON_VALUE(d, '$.a')", "JSON_VALUE(d, '$.a')"),
        ("JSON_VALUE(d, '$.a' RETURNING INT)", "CAST(JSON_VALUE(d, '$.a') AS INT)"),
        ("JSON_VALUE(d, '$.a' DEFAULT 'x' ON EMPTY)", "JSON_VALUE(d, '$.a', 'x', NULL)"),
        ("JSON_VALUE(d, '$.a' NULL ON EMPTY DEFAULT 1 ON ERROR)", "JSON_VALUE(d, '$.a', NULL, 1)"),
        ("JSON_EXISTS(d, '$.a' FALSE ON ERROR)", "JSON_EXISTS(d, '$.a')"),
        ("JSON_QUERY(d, '$.a')", "JSON_QUERY(d, '$.a')"),
        ("JSON_QUERY(d, 'x' WITH CONDITIONAL ARRAY WRAPPER)", "JSON_QUERY(d, 'x', 'CONDITIONAL')"),
        ("JSON_QUERY(d, 'x' WITHOUT WRAPPER NULL ON EMPTY)", "JSON_QUERY(d, 'x')"),
        ("d IS NOT JSON OBJECT AND d IS JSON", "NOT is_json(d, 'OBJECT') AND is_json(d)"),
        ("d IS NOT NULL", "d IS NOT NULL"),
        ("`map`", "`map`"),
    ] {
        let script = script(&format!("SELECT {written}"));
        let Statement::Select(select) = &script.statements[0] else { panic!("not a query") };
        assert_eq!(select.query.to_string(), format!("SELECT {expected}"));
    }
}
