//! Requests and answers of the file server, as values: what the client sends is what the server reads.
//!
//! The paths, headers and texts are those of Session's file server, with additions of our own: an expiry hour, an owner who may
//! delete and ask, download receipts, access word and work, size and digest in the answer to an upload, `GET /info` and
//! `GET /relays`. A client sends the additional headers only to a server whose `GET /info` lists them.
//!
//! * `request`: what is asked, and how it is read.
//! * `answer`: what is answered, as the server writes it.
//! * `read`: the same as the client reads it.

mod answer;
mod read;
mod request;

pub use answer::{BlobAnswer, FileAnswer, FileInfo, FileStatus, ServerInfo, SignedList, Uploaded};
pub use read::{
    AnswerError, StoredAt, read_done, read_file_info, read_found, read_server_info,
    read_signed_list, read_status, read_uploaded,
};
pub use request::{Expiry, FileRequest, ReceiptTerms, RequestError, Upload, refusal};

/// The content type of every answer that is no blob; compared literally by Session's clients.
pub const JSON_TYPE: &str = "application/json";
/// The content type of a blob.
pub const BLOB_TYPE: &str = "application/octet-stream";
/// The feature a server lists that understands `X-Expires-Hour`, and so ids that a client knows before it uploads.
pub(crate) const EXPIRY_HOUR_FEATURE: &str = "expiry-hour";
/// The feature a server lists that understands `X-Owner`, and so delete, extend and status by its token.
pub(crate) const OWNER_FEATURE: &str = "owner";
/// The feature a server lists that counts and limits downloads by receipts.
pub(crate) const RECEIPTS_FEATURE: &str = "receipts";
/// The feature a server lists that mirrors a relay list.
pub(crate) const RELAYS_FEATURE: &str = "relays";
/// The feature a server lists whose work is bound to one stored file (see [`work`](super::capability::work)).
pub(crate) const WORK_FEATURE: &str = "work-2";
/// The most receipts that a server keeps of a file, and so the most downloads that can be allowed.
pub const MAX_RECEIPTS: u32 = 300;
/// The body of a status and of a relay list that is no longer: as long as the smallest blob.
pub const LONG_ANSWER_LEN: usize = 65_536;
