//! `windrow explain`: what a file's queries do.

use super::FileArguments;
use super::script::load;
use crate::error::Result;
use crate::plan::explain::explain as text;

pub(super) fn explain(arguments: &FileArguments) -> Result<()> {
    let planned = load(&arguments.file, &arguments.sets)?;
    println!("{}", text(&planned.plan));
    Ok(())
}
