//! `windrow check`: everything that can be wrong before a byte is read.

use super::CheckArguments;
use super::script::load;
use crate::error::{Error, Result};
use crate::job::open;
use crate::plan::{JobPlan, SinkTarget};
use crate::sql::options::{Connector, Guarantee, describe};

pub(super) fn check(arguments: CheckArguments) -> Result<()> {
    if let Some(group) = &arguments.options {
        println!("{}", describe(group)?);
        return Ok(());
    }
    let Some(file) = &arguments.file else { return Err(Error::user("no file given")) };
    let planned = load(file, &arguments.sets)?;
    let name = planned.plan.settings.name.clone().unwrap_or(planned.stem);
    warn_of_ignored(&planned.plan);
    if !arguments.offline {
        for read in &planned.plan.reads {
            open::read(read, &name)?;
        }
        open::check_sinks(&planned.plan)?;
    }
    for pipeline in &planned.plan.pipelines {
        println!("{}: {}", pipeline.name, guarantee(&pipeline.sink));
    }
    let asked = if arguments.offline { "brokers were not asked" } else { "brokers and topics are there" };
    println!(
        "ok: {} tables read, {} pipelines; {asked}",
        planned.plan.reads.len(),
        planned.plan.pipelines.len()
    );
    Ok(())
}

fn warn_of_ignored(plan: &JobPlan) {
    let of_tables = plan.catalog.tables().flat_map(|table| &table.options.ignored);
    for ignored in of_tables.chain(&plan.settings.ignored) {
        eprintln!(
            "warning: `{}` is ignored: {}\n  --> {}:{}:{}",
            ignored.option,
            ignored.reason,
            plan.source.name,
            ignored.span.start.line,
            ignored.span.start.column
        );
    }
}

/// What a sink's reader may rely on.
fn guarantee(sink: &SinkTarget) -> &'static str {
    let SinkTarget::Table(table) = sink else { return "printed to the terminal" };
    match &table.options.connector {
        Connector::Kafka(options) => match options.guarantee {
            Guarantee::ExactlyOnce => {
                "one Kafka transaction per epoch, for readers of committed records; state is not yet kept \
                 over a restart"
            }
            Guarantee::AtLeastOnce => "at least once: acknowledged by the brokers before the next epoch",
            Guarantee::None => "not waited for: rows can be lost",
        },
        Connector::Filesystem(_) => "lines appended to a new file of each run",
        Connector::Print(_) => "printed",
    }
}
