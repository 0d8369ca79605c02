//! The files in `queries/` work as they stand: examples cannot rot.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use windrow::error::SourceText;
use windrow::functions::EpochClock;
use windrow::plan::{JobPlan, planner};
use windrow::sql;
use windrow::time::EventTime;

/// The plan of a query whose variables all have their defaults; panics with the message if it has none.
fn plan(path: &Path) -> JobPlan {
    let text = fs::read_to_string(path).unwrap();
    let source = Arc::new(SourceText { name: path.display().to_string(), text });
    let plan = sql::parse(&source, &|_| Ok(None))
        .and_then(|script| planner::plan(script, &Arc::new(EpochClock::new(EventTime(0)))));
    plan.unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_query_passes_check_without_any_variable_set() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = paths.filter(|path| path.extension().is_some_and(|found| found == "sql")).collect();
    assert!(!files.is_empty());
    for file in files {
        let plan = plan(&file);
        assert!(!plan.pipelines.is_empty(), "{} has nothing to run", file.display());
    }
}
