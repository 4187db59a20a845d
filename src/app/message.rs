//! What a person reads when something did not work: what happened, why, what to do next.

/// One error in words: three short sentences, free of keys, pointers and addresses of relays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserMessage {
    /// What happened, and what it means for the file.
    pub what: String,
    /// Why it happened, as far as this program knows.
    pub why: String,
    /// What to do next.
    pub next: String,
}
