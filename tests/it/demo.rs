//! `windrow demo` as a newcomer runs it: results within seconds, Ctrl-C ends it cleanly.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// What the demo promises, from its start to the first result.
const FIRST_RESULT_LIMIT: Duration = Duration::from_secs(15);
const EXIT_LIMIT: Duration = Duration::from_secs(20);

#[test]
#[expect(clippy::disallowed_methods, reason = "reads the demo's output while the test waits")]
fn the_demo_shows_results_within_fifteen_seconds_and_ends_at_ctrl_c() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_windrow"))
        .arg("demo")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let stdout = BufReader::new(demo.stdout.take().expect("piped"));
    let (lines, received) = channel();
    let reader = std::thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                return;
            }
        }
    });
    let line = received.recv_timeout(FIRST_RESULT_LIMIT).expect("a result in time");
    let result: serde_json::Value = serde_json::from_str(&line).expect("a JSON object");
    assert_eq!(result["metric_type"], "order_analytics");
    assert_eq!(result["window_type"], "5_second_window");
    assert!(result["order_count"].as_u64().is_some_and(|count| count > 0), "{line}");

    let interrupted =
        Command::new("kill").args(["-INT", &demo.id().to_string()]).status().expect("kill runs");
    assert!(interrupted.success());
    let deadline = Instant::now() + EXIT_LIMIT;
    let status = loop {
        if let Some(status) = demo.try_wait().expect("a child to wait for") {
            break status;
        }
        assert!(Instant::now() < deadline, "the demo does not end");
        // Output that nobody reads could hold it up.
        drop(received.recv_timeout(Duration::from_millis(20)));
    };
    reader.join().expect("the reader ends with the demo");
    let mut stderr = String::new();
    demo.stderr.take().expect("piped").read_to_string(&mut stderr).expect("text");
    assert_eq!(status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("windrow run queries/order_analytics.sql"), "{stderr}");
}
