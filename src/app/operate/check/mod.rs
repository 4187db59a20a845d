//! Looks over a file server, a relay, or what a person uses, and says of each part how it is and what to do.
//!
//! Its words are English in every language, by the rule of [`crate::app::words`]: `cloak check` prints them, and what the
//! window copies as diagnostics is read by whoever helps a person.
//!
//! Nothing is changed: no key is made, no folder, and what is written to a store is taken away again.

mod clock;
mod health;
mod key;
mod person;
mod port;
mod relay;
mod server;

pub use health::health;
pub use person::{Asker, person};
pub use relay::relay;
pub use server::{Checking, server};

/// What was found, in the order it was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One for each part.
    pub findings: Vec<Finding>,
}

/// How one part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The part, in a word or two.
    pub part: &'static str,
    /// How it is.
    pub state: PartState,
    /// What was found.
    pub what: String,
    /// What to do about it; empty when there is nothing to do.
    pub next: String,
}

/// How a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartState {
    /// The part is as it should be.
    Ok,
    /// It could not be looked at now.
    Skipped,
    /// It works, but not as well or as safely as it could.
    Warning,
    /// It does not work.
    Failed,
}

impl PartState {
    /// Its name.
    #[must_use]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

impl Report {
    /// Whether nothing failed.
    #[must_use]
    pub(crate) fn is_ok(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.state != PartState::Failed)
    }

    fn ok(&mut self, part: &'static str, what: impl Into<String>) {
        self.add(part, PartState::Ok, what, "");
    }

    fn skipped(&mut self, part: &'static str, what: impl Into<String>, next: impl Into<String>) {
        self.add(part, PartState::Skipped, what, next);
    }

    fn warning(&mut self, part: &'static str, what: impl Into<String>, next: impl Into<String>) {
        self.add(part, PartState::Warning, what, next);
    }

    fn failed(&mut self, part: &'static str, what: impl Into<String>, next: impl Into<String>) {
        self.add(part, PartState::Failed, what, next);
    }

    fn add(
        &mut self,
        part: &'static str,
        state: PartState,
        what: impl Into<String>,
        next: impl Into<String>,
    ) {
        self.findings.push(Finding {
            part,
            state,
            what: what.into(),
            next: next.into(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_failed_makes_a_report_bad() {
        let mut report = Report::default();
        report.ok("key", "it is there");
        report.skipped("port", "not now", "");
        report.warning("access", "open", "close it");
        assert!(report.is_ok());
        report.failed("disk", "full", "make room");
        assert!(!report.is_ok());
    }
}
