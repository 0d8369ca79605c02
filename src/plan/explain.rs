//! What a job will do, in words: what runs in lanes, what once per epoch, what is kept, and for how long.

use std::fmt::Write;

use datafusion::logical_expr::LogicalPlan;

use crate::plan::provider::Leaf;
use crate::plan::{Feed, JobPlan, Keep, PaneColumn, SinkTarget, Stage, StageKind, TableRead};
use crate::time::Window;

/// A text of several lines.
pub fn explain(plan: &JobPlan) -> String {
    let mut text = String::new();
    for read in &plan.reads {
        push(&mut text, 0, &read_line(read));
    }
    for (id, stage) in plan.stages.iter().enumerate() {
        explain_stage(&mut text, id, stage);
    }
    for pipeline in &plan.pipelines {
        let sink = match &pipeline.sink {
            SinkTarget::Table(table) => format!("`{}` ({})", table.name, table.options.connector.name()),
            SinkTarget::Terminal => "the terminal".into(),
        };
        push(&mut text, 0, &format!("stage {} ► {sink}", pipeline.stage));
    }
    text.trim_end().to_string()
}

fn push(text: &mut String, depth: usize, line: &str) {
    let written = writeln!(text, "{:1$}{line}", "", depth * 2);
    debug_assert!(written.is_ok(), "a String takes everything");
}

fn read_line(read: &TableRead) -> String {
    let table = &read.table;
    let columns: Vec<&str> = read.columns.iter().map(|&i| table.columns[i].name.as_str()).collect();
    let end = if table.is_bounded() { "to its end" } else { "for ever" };
    let columns = if columns.is_empty() { "no column".into() } else { columns.join(", ") };
    format!("read `{}` ({}, {end}): {columns}", table.name, table.options.connector.name())
}

fn explain_stage(text: &mut String, id: usize, stage: &Stage) {
    match &stage.kind {
        StageKind::Map { feeds } => {
            push(text, 0, &format!("stage {id}: map, emits at once, keeps nothing"));
            explain_feeds(text, feeds);
        }
        StageKind::Window { pane, keep, feeds } => {
            let keeps = match keep {
                Keep::Rows => "its rows".to_string(),
                Keep::Groups(groups) => {
                    let calls: Vec<String> = groups.aggr_expr.iter().map(ToString::to_string).collect();
                    let keys = groups.bounds.iter().filter(|bound| bound.is_none()).count();
                    let per = if keys == 0 { "once".into() } else { format!("per group of {keys} keys") };
                    let calls = if calls.is_empty() { "the keys".into() } else { calls.join(", ") };
                    format!("{per}: {calls}")
                }
            };
            let until = match pane {
                PaneColumn::All => "until the input ends",
                PaneColumn::Expr { .. } => "until the watermark reaches its end",
            };
            push(text, 0, &format!("stage {id}: window, {}", pane.window()));
            push(text, 1, &format!("keeps of each window, {until}, {keeps}"));
            explain_feeds(text, feeds);
        }
        StageKind::Close { window, inputs, plan } => {
            let inputs: Vec<String> = inputs.iter().map(|input| format!("stage {input}")).collect();
            let per = if *window == Window::All { "at the end" } else { "for each closed window" };
            let from = if inputs.is_empty() { "constants".into() } else { inputs.join(" and ") };
            push(text, 0, &format!("stage {id}: close, {per} of {from}"));
            explain_plan(text, plan);
        }
    }
}

fn explain_feeds(text: &mut String, feeds: &[Feed]) {
    for feed in feeds {
        let from = match &feed.leaf {
            Leaf::Table(name) => format!("in lanes, of `{name}`:"),
            Leaf::Stage(stage) => format!("in the driver, of stage {stage}:"),
        };
        push(text, 1, &from);
        explain_plan(text, &feed.plan);
    }
}

fn explain_plan(text: &mut String, plan: &LogicalPlan) {
    for line in plan.display_indent().to_string().lines() {
        push(text, 2, line);
    }
}
