//! The three lines of the operators' page that make a network, and machines that run lines of a terminal.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::server::operation::{OPERATORS_PAGE, shell_blocks};

/// What the page lets the three machines of a network run.
pub(crate) struct ThreeLines {
    pub(crate) serve: String,
    pub(crate) relay: String,
    pub(crate) join: String,
}

impl ThreeLines {
    pub(crate) fn of_the_page() -> Self {
        let lines = shell_blocks(OPERATORS_PAGE).swap_remove(0).into_iter();
        let lines: Vec<String> = lines.filter(|line| line.starts_with("cloak ")).collect();
        let Ok([serve, relay, join]) = <[String; 3]>::try_from(lines) else {
            panic!("the page does not begin with three lines");
        };
        Self { serve, relay, join }
    }
}

/// Machines with names, each with a folder.
pub(crate) trait Machines {
    /// The folder of a machine, in which its lines run.
    fn folder(&self, name: &str) -> PathBuf;

    /// A line of a terminal on this machine.
    fn run(&self, on: &str, line: &str) -> Command;

    fn output(&self, on: &str, line: &str) -> Output {
        self.run(on, line).output().unwrap()
    }

    /// What a line that succeeds prints.
    fn done(&self, on: &str, line: &str) -> String {
        let output = self.output(on, line);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{on}: {line}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }
}
