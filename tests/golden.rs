//! Golden cases: a folder with a query, its input and its expected output, run in several ways that must
//! agree.
//!
//! One test per case and way: `cargo test --test golden tumble` runs those whose name says tumble. Expected
//! output is Flink's own where Flink can run the file (`tests/flink/regenerate` makes it).
#![expect(clippy::unwrap_used, reason = "a harness of its own, where a panic is a failed case")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use windrow::error::SourceText;
use windrow::functions::EpochClock;
use windrow::job::{Job, RunOptions, TerminalFormat};
use windrow::plan::planner;
use windrow::sql;
use windrow::time::Clock;

/// A way to run a case: results must not depend on it.
#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    lanes: usize,
    batch_records_max: usize,
    interleave_seed: Option<u64>,
}

const WAYS: [Way; 4] = [
    Way { name: "straight", lanes: 1, batch_records_max: 8192, interleave_seed: None },
    Way { name: "one row per batch", lanes: 1, batch_records_max: 1, interleave_seed: None },
    Way { name: "partitions interleaved", lanes: 1, batch_records_max: 2, interleave_seed: Some(0x5eed) },
    Way { name: "with 4 lanes", lanes: 4, batch_records_max: 8192, interleave_seed: None },
];

fn main() {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|p| p.is_dir())
        .collect();
    cases.sort();
    let mut trials = Vec::new();
    for case in cases {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        for way in WAYS {
            let case = case.clone();
            trials.push(Trial::test(format!("{name}, {}", way.name), move || check(&case, way)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn check(case: &Path, way: Way) -> Result<(), Failed> {
    let out = std::env::temp_dir().join(format!(
        "windrow-golden-{}/{}/{}",
        std::process::id(),
        case.file_name().unwrap().to_string_lossy(),
        way.name.replace(' ', "-")
    ));
    run(case, &out, way)?;
    let expected_folder = case.join("expected");
    for entry in std::fs::read_dir(&expected_folder)? {
        let path = entry?.path();
        let sink = path.file_stem().unwrap().to_string_lossy().into_owned();
        let expected = rows(&std::fs::read_to_string(&path)?)?;
        let actual = rows(&written(&out.join(&sink))?)?;
        compare(&sink, &expected, &actual)?;
    }
    std::fs::remove_dir_all(&out).ok();
    Ok(())
}

fn run(case: &Path, out: &Path, way: Way) -> Result<(), Failed> {
    let file = case.join("case.sql");
    let source =
        Arc::new(SourceText { name: file.display().to_string(), text: std::fs::read_to_string(&file)? });
    let values = |name: &str| match name {
        "CASE" => Ok(Some(case.display().to_string())),
        "OUT" => Ok(Some(out.display().to_string())),
        _ => Ok(None),
    };
    let epoch_clock = Arc::new(EpochClock::new(Clock::System.now()));
    let script = sql::parse(&source, &values).map_err(failed)?;
    let plan = planner::plan(script, &epoch_clock).map_err(failed)?;
    let options = RunOptions {
        name: "golden".into(),
        lanes: way.lanes,
        epoch_interval: Duration::from_millis(50),
        memory_max_bytes: 256 << 20,
        batch_records_max: way.batch_records_max,
        batches_per_cut_max: None,
        interleave_seed: way.interleave_seed,
        clock: Clock::System,
        terminal: Box::new(std::io::sink()),
        terminal_format: TerminalFormat::Json,
    };
    let job = Job::start(plan, epoch_clock, options).map_err(failed)?;
    let status = job.run(&mut |_| {}).map_err(failed)?;
    if status.late > 0 {
        return Err(format!("{} rows were late", status.late).into());
    }
    Ok(())
}

fn failed(error: windrow::error::Error) -> Failed {
    Failed::from(error.to_string())
}

/// Everything that was written into a sink's folder; a sink that got no row has none.
fn written(folder: &Path) -> Result<String, Failed> {
    let mut text = String::new();
    if folder.is_dir() {
        for entry in std::fs::read_dir(folder)? {
            text.push_str(&std::fs::read_to_string(entry?.path())?);
        }
    }
    Ok(text)
}

fn rows(text: &str) -> Result<Vec<Value>, Failed> {
    let rows = text.lines().filter(|line| !line.is_empty());
    let parsed =
        rows.map(|line| serde_json::from_str(line).map_err(|e| Failed::from(format!("{e}: {line}"))));
    parsed.collect()
}

/// Rows match as multisets; their order is no part of the contract.
fn compare(sink: &str, expected: &[Value], actual: &[Value]) -> Result<(), Failed> {
    let mut left: Vec<&Value> = actual.iter().collect();
    let mut missing = Vec::new();
    for row in expected {
        match left.iter().position(|other| same(row, other)) {
            Some(found) => {
                left.swap_remove(found);
            }
            None => missing.push(row),
        }
    }
    if missing.is_empty() && left.is_empty() {
        return Ok(());
    }
    let show = |rows: &[&Value]| rows.iter().take(10).map(|row| format!("\n    {row}")).collect::<String>();
    Err(Failed::from(format!(
        "sink `{sink}`: {} rows expected, {} written\n  missing:{}\n  unexpected:{}",
        expected.len(),
        actual.len(),
        show(&missing),
        show(&left)
    )))
}

fn same(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::Number(a), Value::Number(b)) => same_number(&a.to_string(), &b.to_string()),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeMap<&String, &Value> = b.iter().collect();
            a.len() == b.len() && a.iter().all(|(key, a)| keys.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// Equal as decimals; doubles may differ in their last bits, as the order of a sum is not fixed.
fn same_number(a: &str, b: &str) -> bool {
    let (exact_a, exact_b) = (decimal(a), decimal(b));
    if exact_a == exact_b {
        return true;
    }
    let is_integer = |text: &str| !text.contains(['.', 'e', 'E']);
    if (is_integer(a) && is_integer(b)) || exact_a.0.len() > 17 || exact_b.0.len() > 17 {
        return false;
    }
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= 1e-12 * a.abs().max(b.abs()),
        _ => false,
    }
}

/// A number's significant digits, sign first, and its exponent of ten.
fn decimal(text: &str) -> (String, i64) {
    let lower = text.to_lowercase();
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let mut exponent: i64 = exponent.parse().unwrap_or_default();
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    exponent -= fraction.len() as i64;
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let kept = digits.trim_end_matches('0');
    exponent += (digits.len() - kept.len()) as i64;
    if kept.is_empty() { (String::new(), 0) } else { (format!("{sign}{kept}"), exponent) }
}
