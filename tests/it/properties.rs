//! What must hold for any query over any rows, with no Kafka: jobs run in this process, over files.
//!
//! The oracle is DataFusion itself: a stream's results, whatever the lanes, the batches and the epochs, are
//! the answer of one batch query over the same rows. Cases come from a seed, which every failure names.
//! `WINDROW_CASES=5000 cargo test --test it properties` runs more of them, and
//! `WINDROW_SEED=42 cargo test --test it batch_query` just one.

mod compare;
mod jobs;
mod live;
mod memory;
mod oracle;
mod rows;
mod shapes;
mod surface;
mod time;

use std::ops::Range;

use self::jobs::Folder;
use self::rows::Rows;
use self::shapes::Case;

/// Cases of an ordinary run, over all the tests that share them.
const CASES: u64 = 200;
/// Tests among which the cases are divided, so that they run beside each other.
const SHARES: u64 = 4;

/// The seeds that one share of the cases runs.
fn seeds(share: u64) -> Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    if let Some(seed) = number("WINDROW_SEED") {
        return if share == 0 { seed..seed + 1 } else { 0..0 };
    }
    let each = number("WINDROW_CASES").unwrap_or(CASES).div_ceil(SHARES);
    share * each..(share + 1) * each
}

/// Runs a case as a stream and as a batch query; says how the two differ.
fn check(seed: u64, epochs: &mut u64) -> Result<(), String> {
    let case = Case::generate(seed);
    let folder = Folder::new("oracle");
    let path = folder.path("input");
    case.rows.write(&path);
    let sql = case.stream_sql(&path.display().to_string());
    let told = |what: String| format!("seed {seed}, {:?}: {what}\n{sql}", case.way);
    let outcome = jobs::run(&sql, &case.way).map_err(|error| told(error.to_string()))?;
    *epochs += outcome.status.epoch;
    if outcome.status.late > 0 || outcome.status.bad() > 0 {
        return Err(told(format!("{} late rows, {} bad", outcome.status.late, outcome.status.bad())));
    }
    let expected = oracle::answer(&case).map_err(|error| told(format!("the oracle: {error}")))?;
    compare::same_rows(&expected, &outcome.text).map_err(told)
}

fn check_share(share: u64) {
    let mut epochs = 0;
    let seeds = seeds(share);
    let count = seeds.end - seeds.start;
    let mut failures = Vec::new();
    for seed in seeds {
        if let Err(failure) = check(seed, &mut epochs) {
            failures.push(failure);
        }
    }
    assert!(failures.is_empty(), "{} of {count} cases failed:\n{}", failures.len(), failures.join("\n"));
    assert!(count < 10 || epochs > 3 * count, "{epochs} epochs in {count} cases leave nothing to merge");
}

#[test]
fn a_stream_gives_what_a_batch_query_gives_first_share() {
    check_share(0);
}

#[test]
fn a_stream_gives_what_a_batch_query_gives_second_share() {
    check_share(1);
}

#[test]
fn a_stream_gives_what_a_batch_query_gives_third_share() {
    check_share(2);
}

#[test]
fn a_stream_gives_what_a_batch_query_gives_fourth_share() {
    check_share(3);
}

/// Independent of any other implementation: the counts of all windows add up to the rows.
#[test]
fn every_row_is_in_exactly_one_tumbling_window() {
    for seed in 1_000..1_010 {
        let case = Case::generate(seed);
        let folder = Folder::new("adds-up");
        let path = folder.path("input");
        case.rows.write(&path);
        let sql = format!(
            "{}\nSELECT window_start, COUNT(*) AS n, MIN(ts) AS low, MAX(ts) AS high, window_end\n\
             FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '{}' SECOND))\n\
             GROUP BY window_start, window_end",
            Rows::declaration(&path.display().to_string(), case.rows.delay_seconds),
            case.windows.size_seconds,
        );
        let outcome = jobs::run(&sql, &case.way).unwrap();
        let rows = compare::parse(&outcome.text);
        let counted: i64 = rows.iter().map(|row| row["n"].to_string().parse::<i64>().unwrap()).sum();
        assert_eq!(counted, case.rows.len() as i64, "seed {seed}");
        let mut starts = std::collections::BTreeSet::new();
        for row in &rows {
            let [start, low, high, end] =
                ["window_start", "low", "high", "window_end"].map(|name| row[name].as_str().unwrap());
            assert!(start <= low && low <= high && high < end, "seed {seed}: {row}");
            assert!(starts.insert(start), "seed {seed}: window {start} twice");
        }
    }
}
