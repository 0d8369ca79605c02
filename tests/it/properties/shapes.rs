//! Random queries: one text with placeholders, written out once for the stream and once for the oracle.
//!
//! | placeholder | stream | oracle |
//! |---|---|---|
//! | `{w}` | `TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), …))` | the table `w` |
//! | `{v}` | the view `v` | the view's query |
//! | `{wv}` | a window over `v` by its column `wt` | `date_bin` of `wt` |
//! | `{u}` | `t CROSS JOIN UNNEST(tags)` | `unnest` in the SELECT list, where there are elements |

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use windrow::job::TerminalFormat;

use super::jobs::Way;
use super::rows::Rows;

/// The tumbling windows of a case.
#[derive(Debug, Clone, Copy)]
pub struct Windows {
    pub size_seconds: i64,
    pub offset_seconds: i64,
}

/// Rows, a query over them, and a way to run it.
pub struct Case {
    pub rows: Rows,
    pub windows: Windows,
    pub way: Way,
    /// Of the window over view `v`.
    outer_seconds: i64,
    view: Option<String>,
    query: String,
}

impl Case {
    pub fn generate(seed: u64) -> Case {
        let random = &mut StdRng::seed_from_u64(seed);
        let size_seconds = *[1, 5, 7, 10, 60, 90, 3_600].choose(random).unwrap_or(&60);
        let rows = Rows::generate(random, size_seconds);
        let offset_seconds =
            if random.random_bool(0.3) { random.random_range(1 - size_seconds..size_seconds) } else { 0 };
        let way = Way {
            lanes: random.random_range(1..4),
            epoch_interval: Duration::from_micros(random.random_range(200..20_000)),
            batch_records_max: *[1, 3, 7, 16, 50, 1024].choose(random).unwrap_or(&7),
            batches_per_cut_max: [Some(1), Some(2), Some(5), None].choose(random).copied().flatten(),
            interleave_seed: random.random_bool(0.5).then(|| random.random()),
            format: TerminalFormat::Json,
        };
        let (view, query) = shape(random);
        let outer_seconds = size_seconds * *[1, 2, 5].choose(random).unwrap_or(&1);
        Case { rows, windows: Windows { size_seconds, offset_seconds }, way, outer_seconds, view, query }
    }

    /// The job that runs the case over files in `path`.
    pub fn stream_sql(&self, path: &str) -> String {
        let Windows { size_seconds, offset_seconds } = self.windows;
        let offset = match offset_seconds {
            0 => String::new(),
            seconds => format!(", INTERVAL '{seconds}' SECOND"),
        };
        let size = format!("INTERVAL '{size_seconds}' SECOND");
        let outer = format!("INTERVAL '{}' SECOND", self.outer_seconds);
        let write_out = |text: &str| {
            text.replace("{w}", &format!("TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), {size}{offset}))"))
                .replace("{wv}", &format!("TABLE(TUMBLE(TABLE v, DESCRIPTOR(wt), {outer}))"))
                .replace("{u}", "t CROSS JOIN UNNEST(tags) AS x (tag)")
                .replace("{v}", "v")
        };
        let mut sql = Rows::declaration(path, self.rows.delay_seconds);
        if let Some(view) = &self.view {
            sql.push_str(&format!("\nCREATE VIEW v AS {};", write_out(view)));
        }
        format!("{sql}\n{}", write_out(&self.query))
    }

    /// The oracle's query over `t` and `w`.
    pub fn batch_sql(&self) -> String {
        let view = format!("({})", self.view.as_deref().unwrap_or_default());
        let seconds = self.outer_seconds;
        let start = format!("date_bin(INTERVAL '{seconds} seconds', wt)");
        let outer = format!(
            "(SELECT *, {start} AS window_start, {start} + INTERVAL '{seconds} seconds' AS window_end \
             FROM {{v}})"
        );
        let elements = "(SELECT id, i, unnest(tags) AS tag FROM t WHERE cardinality(tags) > 0) AS u";
        let query = self.query.replace("{wv}", &outer).replace("{u}", elements);
        query.replace("{v}", &view).replace("{w}", "w")
    }
}

/// A view `v`, if the query needs one, and the query.
fn shape(random: &mut StdRng) -> (Option<String>, String) {
    let keys = keys(random);
    let calls = aggregates(random, 4);
    let (selected, grouped) = (selected(&keys), grouped(&keys));
    let plain = format!(
        "SELECT window_start, window_end{selected}{calls} FROM {{w}} \
         GROUP BY window_start, window_end{grouped}"
    );
    let query = match random.random_range(0..20) {
        0..6 => plain,
        6 => format!("{plain} HAVING count(*) > 2"),
        7 => format!(
            "SELECT window_end{selected}{calls} FROM (SELECT * FROM {{w}}) AS f WHERE i > 0 \
             AND s IS NOT NULL \
             GROUP BY window_start, window_end{grouped}"
        ),
        8 => grouping_sets(random, &calls),
        9 => return top_n(random),
        10 => {
            "SELECT id, upper(s) AS u, i + 1 AS j, d * 2 AS dd, n, r, tags FROM t WHERE flag AND d > 3".into()
        }
        11 => format!(
            "SELECT window_start, window_end, s, {} FROM \
             (SELECT window_start, window_end, s, i, b, d, n, flag, id FROM {{w}} WHERE flag UNION ALL \
             SELECT window_start, window_end, s, i + 100, b, d, n, flag, id + 1000 FROM {{w}} \
             WHERE NOT flag) AS u \
             GROUP BY window_start, window_end, s",
            "count(*) AS c, sum(i) AS si, max(n) AS mn, array_agg(i ORDER BY id) AS ids"
        ),
        12 => "SELECT id, tag FROM {u} WHERE i > 2".into(),
        13 => "SELECT DISTINCT window_start, window_end, s, flag FROM {w}".into(),
        14 => return window_over_window(random),
        15 => format!("SELECT count(*) AS all_rows{calls} FROM t"),
        16 => format!(
            "SELECT date_bin(INTERVAL '15 seconds', ts) AS bin{selected}{calls} FROM t \
             GROUP BY 1{grouped}"
        ),
        17 => return join(random),
        18 => "SELECT window_start, id, i, sum(i) OVER (PARTITION BY window_start, window_end, s \
               ORDER BY id) AS run, \
               lag(d) OVER (PARTITION BY window_start, window_end, s ORDER BY id) AS before FROM {w}"
            .into(),
        _ => format!(
            "SELECT window_start, window_end{selected}, CASE WHEN count(*) > 3 THEN sum(i) * 2 ELSE -1 END \
             AS x, \
             coalesce(max(s), 'none') AS y FROM {{w}} GROUP BY window_start, window_end{grouped}"
        ),
    };
    (None, query)
}

/// None, one or several keys of any type.
fn keys(random: &mut StdRng) -> Vec<&'static str> {
    let mut all =
        ["s", "i", "flag", "d", "n", "day", "r", "tags", "b", "upper(s)", "i % 3", "coalesce(s, 'none')"];
    all.shuffle(random);
    let count = *[0, 1, 1, 2, 3].choose(random).unwrap_or(&1);
    all[..count].to_vec()
}

fn selected(keys: &[&str]) -> String {
    keys.iter().enumerate().map(|(i, key)| format!(", {key} AS k{i}")).collect()
}

fn grouped(keys: &[&str]) -> String {
    keys.iter().map(|key| format!(", {key}")).collect()
}

const AGGREGATES: &[&str] = &[
    "count(*)",
    "count(s)",
    "count(*) FILTER (WHERE flag)",
    "count(DISTINCT s)",
    "count(DISTINCT i)",
    "count(DISTINCT n)",
    "sum(i)",
    "sum(b)",
    "sum(d)",
    "sum(n)",
    "sum(DISTINCT i)",
    "sum(d) FILTER (WHERE i > 3)",
    "avg(i)",
    "avg(d)",
    "avg(n)",
    "avg(d) FILTER (WHERE flag)",
    "min(s)",
    "max(s)",
    "min(ts)",
    "max(day)",
    "min(n)",
    "max(d)",
    "min(flag)",
    "max(i) FILTER (WHERE s IS NULL)",
    "stddev(d)",
    "stddev_pop(i)",
    "var_pop(d)",
    "corr(d, i)",
    "covar_pop(d, i)",
    "regr_slope(d, i)",
    "approx_distinct(s)",
    "approx_distinct(b)",
    "approx_distinct(i)",
    "approx_distinct(flag)",
    "first_value(s ORDER BY id)",
    "last_value(d ORDER BY id)",
    "first_value(i ORDER BY id DESC)",
    "first_value(n ORDER BY ts, id) FILTER (WHERE flag)",
    "nth_value(s, 2 ORDER BY id)",
    "nth_value(n, -3 ORDER BY id)",
    "array_agg(i ORDER BY id)",
    "array_agg(s ORDER BY id DESC)",
    "array_agg(DISTINCT i ORDER BY i)",
    "array_agg(r ORDER BY id)",
    "string_agg(s, ',' ORDER BY id)",
    "string_agg(s, '|' ORDER BY id DESC)",
    "median(d)",
    "median(i)",
    "percentile_cont(0.25) WITHIN GROUP (ORDER BY d)",
    "bit_and(i)",
    "bit_or(i)",
    "bit_xor(b)",
    "bool_and(flag)",
    "bool_or(flag)",
];

/// Up to `max` calls, each with a name, after a comma each.
fn aggregates(random: &mut StdRng, max: usize) -> String {
    let count = random.random_range(1..=max);
    let chosen = AGGREGATES.choose_multiple(random, count);
    chosen.enumerate().map(|(i, call)| format!(", {call} AS a{i}")).collect()
}

fn grouping_sets(random: &mut StdRng, calls: &str) -> String {
    let sets = [
        "GROUPING SETS ((window_start, window_end, s), (window_start, window_end, flag), (window_start, \
         window_end))",
        "window_start, window_end, ROLLUP (s, flag)",
        "window_start, window_end, CUBE (s, flag)",
    ];
    let sets = sets.choose(random).copied().unwrap_or_default();
    format!("SELECT window_start, window_end, s, flag{calls} FROM {{w}} GROUP BY {sets}")
}

fn top_n(random: &mut StdRng) -> (Option<String>, String) {
    let view = "SELECT window_start, window_end, s, count(*) AS c, sum(d) AS total FROM {w} \
                GROUP BY window_start, window_end, s";
    let call = *["row_number", "rank", "dense_rank"].choose(random).unwrap_or(&"rank");
    let n = random.random_range(1..4);
    let query = format!(
        "SELECT window_start, s, c, total, place FROM (SELECT *, {call}() OVER (PARTITION BY window_start, \
         window_end ORDER BY c DESC, s) AS place FROM {{v}} AS f) AS g WHERE place <= {n}"
    );
    (Some(view.into()), query)
}

fn window_over_window(random: &mut StdRng) -> (Option<String>, String) {
    let view = "SELECT window_time AS wt, s, count(*) AS c, sum(n) AS total, \
                array_agg(id ORDER BY id) AS ids \
                FROM {w} GROUP BY window_start, window_end, window_time, s";
    let (key, group) = *[("", ""), (", s", ", s")].choose(random).unwrap_or(&("", ""));
    let query = format!(
        "SELECT window_start, window_end{key}, sum(c) AS c, max(total) AS most, count(*) AS parts, \
         count(DISTINCT s) AS texts FROM {{wv}} AS o GROUP BY window_start, window_end{group}"
    );
    (Some(view.into()), query)
}

fn join(random: &mut StdRng) -> (Option<String>, String) {
    let view = "SELECT window_start AS ws, window_end AS we, s, count(*) AS c, sum(i) AS si FROM {w} \
                GROUP BY window_start, window_end, s";
    let kind = *["JOIN", "LEFT JOIN", "FULL JOIN"].choose(random).unwrap_or(&"JOIN");
    let query = format!(
        "SELECT l.ws, l.s, l.c, r.ws AS other_ws, r.s AS other, r.si FROM \
         (SELECT * FROM {{v}} AS f WHERE c > 1) AS l {kind} (SELECT * FROM {{v}} AS g WHERE si > 4) AS r \
         ON l.ws = r.ws AND l.we = r.we AND l.s = r.s"
    );
    (Some(view.into()), query)
}
