//! Reads a `.sql` file into a plan: what every command begins with.

use std::env::VarError;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result, SourceText};
use crate::functions::EpochClock;
use crate::plan::{JobPlan, planner};
use crate::sql;
use crate::time::Clock;

/// A file's plan and the clock its `now()` reads.
pub struct Planned {
    pub plan: JobPlan,
    pub epoch_clock: Arc<EpochClock>,
    /// The file's stem.
    pub stem: String,
}

/// Reads and plans a file; `sets` come before its own SET statements.
pub fn load(file: &str, sets: &[(String, String)]) -> Result<Planned> {
    let text = read(file)?;
    let stem = Path::new(file).file_stem().map_or("query".into(), |stem| stem.to_string_lossy().into_owned());
    let stem = if file == "-" { "query".to_string() } else { stem };
    let source = Arc::new(SourceText { name: file.to_string(), text });
    plan(&source, sets, stem, &value_of)
}

/// Plans a text; `values` gives what `${NAME}` stands for.
pub fn plan(
    source: &Arc<SourceText>,
    sets: &[(String, String)],
    stem: String,
    values: sql::Lookup,
) -> Result<Planned> {
    let mut script = sql::parse(source, values)?;
    if !sets.is_empty() {
        let quoted = |text: &str| text.replace('\'', "''");
        let lines = sets.iter().map(|(key, value)| format!("SET '{}' = '{}';\n", quoted(key), quoted(value)));
        let given = SourceText { name: "--set".into(), text: lines.collect() };
        let given = sql::parse(&Arc::new(given), &|_| Ok(None))?;
        script.statements.extend(given.statements);
    }
    let epoch_clock = Arc::new(EpochClock::new(Clock::System.now()));
    let plan = planner::plan(script, &epoch_clock)?;
    if plan.pipelines.is_empty() {
        return Err(Error::user(format!("`{}` has nothing to run", source.name))
            .fix("add an INSERT INTO … SELECT …, or a SELECT to see rows in the terminal"));
    }
    Ok(Planned { plan, epoch_clock, stem })
}

/// What `${name}` stands for: a variable of the environment, or a file's content for `file:path`, without the
/// line's end that editors and `echo` add.
fn value_of(name: &str) -> Result<Option<String>, String> {
    let Some(path) = name.strip_prefix("file:") else {
        return match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => Err("it is not UTF-8".into()),
        };
    };
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let line =
                text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
            Ok(Some(line.to_owned()))
        }
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(cause.to_string()),
    }
}

fn read(file: &str) -> Result<String> {
    if file == "-" {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        return read
            .map(|_| text)
            .map_err(|cause| Error::user("cannot read standard input").caused_by(cause));
    }
    std::fs::read_to_string(file).map_err(|cause| {
        Error::user(format!("cannot read `{file}`")).caused_by(cause).fix("check the path of the .sql file")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_from_the_file_that_is_named() {
        let folder = std::env::temp_dir().join(format!("windrow-values-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = |name: &str| format!("file:{}", folder.join(name).display());
        std::fs::write(folder.join("password"), "hunter2\n\n").unwrap();
        std::fs::write(folder.join("binary"), [0xff]).unwrap();
        assert_eq!(value_of(&path("password")), Ok(Some("hunter2\n".into())));
        assert_eq!(value_of(&path("absent")), Ok(None));
        assert!(value_of(&path("binary")).is_err());
        assert!(value_of(&format!("file:{}", folder.display())).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
