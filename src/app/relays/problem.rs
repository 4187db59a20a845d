//! Why a newer relay list did not come, as the record of lists keeps it.

use serde::{Deserialize, Serialize};

/// Why a newer list did not come when one was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListProblem {
    /// By which the window finds its words.
    pub kind: ListProblemKind,
    /// A sentence in English, for the command line and for diagnostics.
    pub detail: String,
}

/// The kinds of reasons why no newer relay list came. `relays.json` holds each as a word, such as `no-answer`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListProblemKind {
    /// The list that came lacks more than half of the relays of the one before, so the person looks at it first.
    ManyGone,
    /// Whoever was asked did not answer.
    NoAnswer,
    /// The answer holds no list.
    NoList,
    /// The list that came was refused: it is older, has expired, or is not signed by its maker.
    Refused,
    /// A reason that this version does not know, or one that an older version kept.
    #[default]
    #[serde(other)]
    Other,
}

impl ListProblem {
    /// The problem with this error, whose `Display` is in English.
    pub(in crate::app) fn new(kind: ListProblemKind, error: &impl ToString) -> Self {
        Self {
            kind,
            detail: error.to_string(),
        }
    }
}
