//! What a file of SQL can say, with files as tables: whole outputs, as a person sees them.

use windrow::job::TerminalFormat;

use super::jobs::{self, Folder, Way};

const ROWS: &str = "\
{\"id\":3,\"name\":\"pear\",\"price\":2.5,\"at\":\"2024-05-01 10:00:03\"}
{\"id\":1,\"name\":\"apple, red\",\"price\":1.25,\"at\":\"2024-05-01 10:00:01\"}

{\"id\":2,\"name\":null,\"price\":10.0,\"at\":\"2024-05-01 10:00:02\"}
";

const COLUMNS: &str = "(id INT, name STRING, price DOUBLE, `at` TIMESTAMP(3))";

fn fruit(folder: &Folder) -> String {
    let path = folder.write("fruit.jsonl", ROWS);
    let path = path.display();
    format!(
        "CREATE TABLE fruit {COLUMNS} \n\
         WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'json');\n"
    )
}

/// What a script prints, read by one lane.
fn printed(sql: &str, format: TerminalFormat) -> String {
    match jobs::run(sql, &Way { lanes: 1, format, ..Way::default() }) {
        Ok(outcome) => outcome.text,
        Err(error) => panic!("{error}\n{sql}"),
    }
}

fn refusal(sql: &str) -> String {
    match jobs::run(sql, &Way::default()) {
        Ok(outcome) => panic!("it ran and gave\n{}", outcome.text),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_bare_select_prints_a_table() {
    let folder = Folder::new("surface");
    let sql = format!("{}SELECT * FROM fruit ORDER BY id", fruit(&folder));
    let expected = "\
id  name        price  at
──  ──────────  ─────  ───────────────────
 1  apple, red   1.25  2024-05-01 10:00:01
 2  NULL         10.0  2024-05-01 10:00:02
 3  pear          2.5  2024-05-01 10:00:03
";
    assert_eq!(printed(&sql, TerminalFormat::Table), expected);
}

#[test]
fn a_bare_select_prints_json_lines() {
    let folder = Folder::new("surface");
    let sql = format!(
        "{}SELECT id, name, price * 2 AS twice FROM fruit ORDER BY price DESC LIMIT 2",
        fruit(&folder)
    );
    let expected = "{\"id\":2,\"name\":null,\"twice\":20.0}\n{\"id\":3,\"name\":\"pear\",\"twice\":5.0}\n";
    assert_eq!(printed(&sql, TerminalFormat::Json), expected);
}

#[test]
fn a_bare_select_prints_csv_with_one_header() {
    let folder = Folder::new("surface");
    let sql = format!("{}SELECT id, name, `at` FROM fruit WHERE id < 3 ORDER BY id", fruit(&folder));
    let expected = "id,name,at\n1,\"apple, red\",2024-05-01 10:00:01\n2,,2024-05-01 10:00:02\n";
    assert_eq!(printed(&sql, TerminalFormat::Csv), expected);
}

#[test]
fn limit_offset_and_descending_order_hold_at_the_end_of_the_input() {
    let folder = Folder::new("surface");
    let sql = format!("{}SELECT id FROM fruit ORDER BY id DESC LIMIT 1 OFFSET 1", fruit(&folder));
    assert_eq!(printed(&sql, TerminalFormat::Json), "{\"id\":2}\n");
    let sql = format!("{}SELECT COUNT(*) AS n FROM (SELECT * FROM fruit LIMIT 2)", fruit(&folder));
    assert_eq!(printed(&sql, TerminalFormat::Json), "{\"n\":2}\n");
    let sql = format!("{}SELECT name FROM fruit ORDER BY name", fruit(&folder));
    let expected = "{\"name\":null}\n{\"name\":\"apple, red\"}\n{\"name\":\"pear\"}\n";
    assert_eq!(printed(&sql, TerminalFormat::Json), expected, "NULL comes first, as in Flink");
}

#[test]
fn a_csv_file_is_read_by_position() {
    let folder = Folder::new("surface");
    let path = folder.write("t.csv", "1;\"a;b\";2024-05-01 10:00:00\r\n2;NULL;NULL\n");
    let sql = format!(
        "CREATE TABLE t (id INT, name STRING, `at` TIMESTAMP(3)) WITH ('connector' = 'filesystem',\n  \
         'path' = '{}', 'format' = 'csv', 'csv.field-delimiter' = ';', 'csv.null-literal' = 'NULL');\n\
         SELECT `at`, name, id FROM t ORDER BY id",
        path.display()
    );
    let expected =
        "{\"at\":\"2024-05-01 10:00:00\",\"name\":\"a;b\",\"id\":1}\n{\"at\":null,\"name\":null,\"id\":2}\n";
    assert_eq!(printed(&sql, TerminalFormat::Json), expected);
}

#[test]
fn a_folder_is_read_with_all_its_files_but_hidden_ones() {
    let folder = Folder::new("surface");
    for (name, id) in [("in/a.jsonl", 1), ("in/day=2/b.jsonl", 2), ("in/.hidden", 4), ("in/_tmp/c.jsonl", 8)]
    {
        folder.write(name, &format!("{{\"id\":{id}}}"));
    }
    let path = folder.path("in");
    let sql = format!(
        "CREATE TABLE t (id INT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');\n\
         SELECT SUM(id) AS ids FROM t",
        path.display()
    );
    assert_eq!(printed(&sql, TerminalFormat::Json), "{\"ids\":3}\n");
}

#[test]
fn an_empty_folder_has_no_rows_and_a_count_of_zero() {
    let folder = Folder::new("surface");
    let empty = folder.path("empty");
    std::fs::create_dir_all(&empty).unwrap();
    let table = format!(
        "CREATE TABLE t {COLUMNS} WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');\n",
        empty.display()
    );
    let run = |query: &str| printed(&format!("{table}{query}"), TerminalFormat::Json);
    assert_eq!(
        run("SELECT COUNT(*) AS n, SUM(id) AS ids, MAX(name) AS name FROM t"),
        "{\"n\":0,\"ids\":null,\"name\":null}\n"
    );
    assert_eq!(run("SELECT COUNT(*) + 1 AS n FROM t"), "{\"n\":1}\n");
    assert_eq!(run("SELECT name, COUNT(*) AS n FROM t GROUP BY name"), "", "no row, no group");
    assert_eq!(run("SELECT * FROM t"), "");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let sql = "CREATE TABLE t (id INT) \
               WITH ('connector' = 'filesystem', 'path' = '/no/such/file', 'format' = 'json');\n\
               SELECT * FROM t";
    assert!(refusal(sql).contains("cannot read `/no/such/file`"), "{}", refusal(sql));
}

#[test]
fn values_are_inserted() {
    let folder = Folder::new("surface");
    let out = folder.path("out");
    let sql = format!(
        "CREATE TABLE sink (id BIGINT, name STRING)\n\
         WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');\n\
         INSERT INTO sink VALUES (1, 'a'), (2, NULL)",
        out.display()
    );
    assert_eq!(printed(&sql, TerminalFormat::Json), "");
    let written = std::fs::read_to_string(out.join("part-0.jsonl")).unwrap();
    assert_eq!(written, "{\"id\":1,\"name\":\"a\"}\n{\"id\":2,\"name\":null}\n");
}

#[test]
fn a_select_without_a_table_gives_one_row() {
    assert_eq!(printed("SELECT 1 + 1 AS two, 'x' AS x", TerminalFormat::Json), "{\"two\":2,\"x\":\"x\"}\n");
}

#[test]
fn a_view_names_its_columns_and_is_used_twice() {
    let folder = Folder::new("surface");
    let sql = format!(
        "{}CREATE VIEW dear (number, cost) AS SELECT id, price FROM fruit WHERE price > 2;\n\
         CREATE TEMPORARY VIEW dearest AS SELECT MAX(cost) AS most FROM dear;\n\
         SELECT * FROM dearest;\nSELECT number FROM dear ORDER BY number",
        fruit(&folder)
    );
    let text = printed(&sql, TerminalFormat::Json);
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["{\"most\":10.0}", "{\"number\":2}", "{\"number\":3}"]);
}

#[test]
fn a_table_like_another_takes_its_columns_and_changes_its_options() {
    let folder = Folder::new("surface");
    let out = folder.path("out");
    let sql = format!(
        "{}CREATE TABLE copy WITH ('path' = '{}') LIKE fruit;\n\
         INSERT INTO copy SELECT * FROM fruit WHERE id = 3",
        fruit(&folder),
        out.display()
    );
    assert_eq!(printed(&sql, TerminalFormat::Json), "");
    let written = std::fs::read_to_string(out.join("part-0.jsonl")).unwrap();
    assert_eq!(written, "{\"id\":3,\"name\":\"pear\",\"price\":2.5,\"at\":\"2024-05-01 10:00:03\"}\n");
}

#[test]
fn a_computed_column_is_an_event_time() {
    let folder = Folder::new("surface");
    let path = folder.write("t.jsonl", "{\"ms\":1000}\n{\"ms\":61000}\n{\"ms\":2500}\n");
    let sql = format!(
        "CREATE TABLE t (\n  ms BIGINT, ts AS TO_TIMESTAMP_LTZ(ms, 3),\n  \
         WATERMARK FOR ts AS ts - INTERVAL '2' MINUTE\n)\n\
         WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');\n\
         SELECT SUM(ms) AS ms, COUNT(*) AS n\n\
         FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))\n\
         GROUP BY window_start, window_end",
        path.display()
    );
    assert_eq!(printed(&sql, TerminalFormat::Json), "{\"ms\":3500,\"n\":2}\n{\"ms\":61000,\"n\":1}\n");
}

#[test]
fn a_print_sink_writes_its_identifier_before_each_row() {
    let folder = Folder::new("surface");
    let sql = format!(
        "{}CREATE TABLE shown (id INT, name STRING) \n\
         WITH ('connector' = 'print', 'print-identifier' = 'fruit');\n\
         INSERT INTO shown SELECT id, name FROM fruit WHERE id <> 2",
        fruit(&folder)
    );
    let expected = "fruit> {\"id\":3,\"name\":\"pear\"}\nfruit> {\"id\":1,\"name\":\"apple, red\"}\n";
    assert_eq!(printed(&sql, TerminalFormat::Json), expected);
}
