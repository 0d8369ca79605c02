//! Parses the arguments, runs the command, prints the error, chooses the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    windrow::cli::main()
}
