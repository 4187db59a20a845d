//! Wholes that are too long for one blob: cut into parts, each sealed into a blob, and named by a list.
//!
//! Everything here decides, seals and opens; it sends, reads and writes nothing.
//!
//! # To send
//!
//! 1. [`Layout::for_sending`] says whether the content goes into one blob or into parts, and refuses what is too long
//!    before anything is sent. A folder's content is what [`folder`](super::folder) says.
//! 2. Draw a [`PartsSecret`] and a [`PartsOwner`], and write both down with the plan
//!    ([`resume`](super::resume)) before the first part is sent.
//! 3. [`PartQueue`] says which part is next. For each: read its [`PartPlan::range`], [`seal_part`], write down digest and
//!    expiry hour, upload with [`PartsOwner::part_token`], write down that it is confirmed, tell the queue. Where the same
//!    part must be sent again and its bytes are gone, it is sealed anew, and that is written down again: a sealing makes a
//!    new nonce and so a new key.
//! 4. When the queue is [`Done`](NextPart::Done), [`PartListBuilder`] takes digest and id of each part in order;
//!    [`PartList::seal`] seals the list, which is uploaded last, over a path unlike that of the last part, with
//!    [`PartsOwner::list_token`]. The pointer names the list (kind 2), its key and digest, the length of the **whole**, and
//!    the earliest expiry of all blobs.
//!
//! # To fetch
//!
//! 1. The pointer has kind [`PartList`](super::seal::ContentKind::PartList). The list's blob may have any size class.
//!    Verify it, open it, and [`PartList::read`] it: all that must be refused before a part is fetched is refused here.
//! 2. For a folder, fetch the parts that hold its manifest first ([`PartPlan::holding`]), let the person choose, and go on
//!    with the parts that hold what was chosen.
//! 3. [`PartQueue`] says which part is next; [`PartList::open_part`] verifies and opens it. Write its content at its
//!    [`PartPlan::range`], sync, write down that it is there, tell the queue.
//!
//! # To delete or extend
//!
//! One request for each blob, with the owner token of that blob; the list last, so that what was interrupted can be done
//! again. Download receipts exist for the list alone: they are asked for with its upload, and sent when everything that was
//! wanted is saved.
//!
//! # What holds it together
//!
//! There is no digest of the whole. The digests of the parts, in order, under the digest of the list say the same.
//!
//! # What the types forbid
//!
//! The list of a fetched blob is read only after that was verified and opened, and a part opens only through a list. Others
//! come from their sender's [`PartListBuilder`], or from the sealed state of a transfer ([`resume`](super::resume)), where
//! whoever decodes a record must have its bytes from a [`Log`](super::resume::Log):
//!
//! ```compile_fail,E0308
//! use cloakroom::protocol::parts::PartList;
//! use cloakroom::protocol::pointer::Pointer;
//! use cloakroom::protocol::seal::UnverifiedBlob;
//!
//! fn too_early(fetched: UnverifiedBlob, pointer: &Pointer) {
//!     drop(PartList::read(&fetched, pointer, false)); // `read` takes an `Opened` blob
//! }
//! ```
//!
//! ```
//! use cloakroom::protocol::parts::PartList;
//! use cloakroom::protocol::pointer::Pointer;
//! use cloakroom::protocol::seal::UnverifiedBlob;
//!
//! fn in_order(fetched: UnverifiedBlob, pointer: &Pointer) -> Option<PartList> {
//!     let blob = fetched.verify(&pointer.digest).ok()?;
//!     let opened = blob.open(pointer.key.whole()?).ok()?;
//!     PartList::read(&opened, pointer, false).ok()
//! }
//! ```
//!
//! The secret in a list is no key, and no key of a part can be had:
//!
//! ```compile_fail,E0308
//! use cloakroom::protocol::parts::PartsSecret;
//! use cloakroom::protocol::seal::SealedBlob;
//!
//! fn not_a_key(part: SealedBlob, secret: &PartsSecret) {
//!     drop(part.open(secret)); // `open` takes a `FileKey`
//! }
//! ```

mod blob;
mod list;
mod plan;
mod queue;
mod secret;
#[cfg(test)]
mod tests;

pub(crate) use blob::seal_part_in;
pub use blob::{OpenPartError, OpenedPart, SealedPart, WrongPartLen, seal_part};
pub use list::{BuildListError, PartList, PartListBuilder, ReadListError};
pub use plan::{
    IdForm, Layout, MAX_PARTS, MAX_WHOLE_LEN, PartIndex, PartPlan, PartSet, PlanError, TooLong,
};
pub use queue::{
    MAX_A_GUARD, MAX_ON_WAY, NextPart, PartFailure, PartQueue, PartStart, PartsDirection,
    PartsFailure,
};
pub use secret::{PartsOwner, PartsSecret, Store};
