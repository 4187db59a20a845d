//! Somebody who uses the command line, and what is expected of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::{TempDir, tempdir};

use crate::support::{Process, cloak, printed_pointer, said, with_input};

/// Somebody with a home of their own, which is also the current folder of what they run.
pub(crate) struct Person(TempDir);

impl Person {
    pub(crate) fn new() -> Self {
        Self(tempdir().unwrap())
    }

    pub(crate) fn home(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = cloak(self.home());
        command.current_dir(self.home());
        command
    }

    pub(crate) fn command_with(&self, args: &[&str]) -> Command {
        let mut command = self.command();
        command.args(args);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command_with(args).output().unwrap()
    }

    pub(crate) fn run_with(&self, args: &[&str], input: &str) -> Output {
        with_input(self.command_with(args), input)
    }

    pub(crate) fn start(&self, args: &[&str]) -> Process {
        Process::start(self.command_with(args))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home().join(name)
    }

    pub(crate) fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Shares on the built-in network unless the arguments say otherwise; the pointer comes back.
    pub(crate) fn share(&self, file: &Path, args: &[&str]) -> String {
        printed_pointer(
            &self
                .command()
                .arg("share")
                .arg(file)
                .args(args)
                .output()
                .unwrap(),
        )
    }

    /// Downloads to a file or into a folder.
    pub(crate) fn get(&self, pointer: &str, out: &str) {
        let output = self.run_with(&["get", "-", "--out", out], pointer);
        assert!(output.status.success(), "{}", said(&output));
    }
}

/// Expects that it ended with this code and said these words.
#[track_caller]
pub(crate) fn expect(output: &Output, code: i32, words: &str) {
    assert_eq!(output.status.code(), Some(code), "{}", said(output));
    assert!(said(output).contains(words), "{words:?}: {}", said(output));
}
