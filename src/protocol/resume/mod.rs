//! What is kept of a transfer in parts, so that it goes on after the program ended in any way: one file for each transfer,
//! sealed, to which records are only ever appended.
//!
//! This room seals, opens and replays records. Files, the key's place and the sync to the disk are its caller's.
//!
//! # To write
//!
//! 1. [`LogWriter::new`] gives the writer, [`LogWriter::header`] the first bytes of the file. [`LogWriter::seal`] gives the
//!    bytes of each record. Append them and sync **before** what they announce is done:
//!    a sender writes [`SenderRecord::Sealed`] before a part is sent; a recipient writes [`RecipientRecord::Written`] after
//!    the part's bytes are synced.
//! 2. When an append fails, nothing is known of the end of the file. Cut it to the length that it had, and
//!    [`LogWriter::take_back`] the record; or read it again, cut it to [`Recovered::good_len`], and go on with
//!    [`Recovered::writer`].
//!
//! # To go on
//!
//! 1. [`Log::read`] opens what was written, as far as it is whole: a file that was cut off or damaged at any byte gives
//!    the records before that place. After [`LogEnd::Torn`] the last one is lost, which is harmless: it was never synced,
//!    so that what it announces was not begun, or is done once more.
//! 2. After [`LogEnd::Damaged`] any number of records is lost, and the caller must ask the person before it goes on: without
//!    its last [`RecipientRecord::Chosen`] a download fetches everything; without its [`SenderRecord::Sealed`] a share no
//!    longer knows the name of a part at a server, so that nobody can delete it before it expires.
//! 3. [`SenderState::replay`] or [`RecipientState::replay`] makes the state of the records.
//! 4. Cut the file to [`Recovered::good_len`] before anything is appended.
//! 5. A sender compares the source with [`SenderBegin::source`] ("changed since" ends it), asks the server about parts that
//!    are sealed and not confirmed, extends the others, and goes on with those that are missing. A recipient trusts
//!    nothing that is not recorded as written; nothing is hashed again.

mod log;
mod recipient;
mod sender;
#[cfg(test)]
mod tests;

pub use log::{
    EncodedRecord, Log, LogEnd, LogWriter, ReadLogError, RecordTooLong, Recovered, ResumeKey,
};
pub use recipient::{RecipientBegin, RecipientRecord, RecipientState};
pub use sender::{
    FileStamp, FolderStamp, PartAt, SealedAt, SenderBegin, SenderRecord, SenderState, Source,
    Superseded, Wishes,
};

use thiserror::Error;

use super::cbor::NotStrict;

/// Why records do not make a state. They were sealed by this person's key, so another version wrote them, or this one in
/// error.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ReplayError {
    /// There is no record, or the first one does not begin a transfer.
    #[error("the state of the transfer has no beginning")]
    NoBeginning,
    /// A record is not in its one form, or does not fit those before it.
    #[error("the state of the transfer is malformed")]
    Malformed,
    /// A record has something that this version does not know.
    #[error("the state of the transfer was written by a newer version")]
    Newer,
}

impl From<NotStrict> for ReplayError {
    fn from(_: NotStrict) -> Self {
        Self::Malformed
    }
}
