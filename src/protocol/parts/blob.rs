//! How one part is sealed, and how one that was fetched is verified and opened.

use rand_core::CryptoRng;
use thiserror::Error;

use super::{PartIndex, PartList, PartPlan, PartsSecret};
use crate::protocol::digest::Digest;
use crate::protocol::seal::{
    ContentKind, HeaderParts, OpenError, Opened, SealError, SealedBlob, UnverifiedBlob,
    VerifyError, draw_nonce, seal_in,
};

/// What [`seal_part`] makes. There is no key in it: it follows from the secret of the share.
pub struct SealedPart {
    /// What to upload. A retry sends the same bytes.
    pub blob: SealedBlob,
    /// SHA-256 of the blob, by which the server confirms it and the recipient checks it.
    pub digest: Digest,
}

/// Seals one part under a nonce, and so a key, of its own. `content` is the bytes of
/// [`PartPlan::range`]; a source that has fewer or more of them by now is told apart here.
///
/// # Errors
/// [`WrongPartLen`] when `content` has another length than the plan gives to this part.
pub fn seal_part(
    secret: &PartsSecret,
    plan: &PartPlan,
    index: PartIndex,
    content: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<SealedPart, WrongPartLen> {
    let expected = plan.content_len(index);
    if content.is_empty() || content.len() != expected {
        return Err(WrongPartLen {
            expected,
            got: content.len(),
        });
    }
    let copy = |place: &mut [u8]| {
        place.copy_from_slice(content);
        Ok::<_, SealError>(())
    };
    let sealed = seal_part_in(Vec::new(), secret, plan, index, copy, rng);
    Ok(sealed.expect("a plan gives to a part what its class carries, and a part has no name"))
}

/// Seals one part as [`seal_part`] does, in the memory of `buffer`, whose content is replaced. `write_content` writes the
/// bytes of [`PartPlan::range`] to the place where they are sealed, so that they are nowhere else.
///
/// # Errors
/// Those of `write_content`: a plan gives to a part what its class carries.
pub(crate) fn seal_part_in<E: From<SealError>>(
    buffer: Vec<u8>,
    secret: &PartsSecret,
    plan: &PartPlan,
    index: PartIndex,
    write_content: impl FnOnce(&mut [u8]) -> Result<(), E>,
    rng: &mut impl CryptoRng,
) -> Result<SealedPart, E> {
    let nonce = draw_nonce(rng);
    let key = secret.part_key(index, &nonce);
    let header = HeaderParts {
        kind: ContentKind::Part,
        content_len: plan.content_len(index),
        name: None,
        modified: None,
    };
    let sealed = seal_in(buffer, key, nonce, plan.class(), header, write_content)?;
    Ok(SealedPart {
        blob: sealed.blob,
        digest: sealed.digest,
    })
}

/// The content has another length than the plan gives to this part: the source has changed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the part has {got} bytes instead of {expected}")]
pub struct WrongPartLen {
    /// The length in the plan, in bytes.
    pub expected: usize,
    /// The length of the content, in bytes.
    pub got: usize,
}

/// A part that was verified and opened. Its memory is overwritten in the end.
pub struct OpenedPart(Opened);

impl OpenedPart {
    /// The bytes of the whole at [`PartPlan::range`] of this part.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        self.0.content()
    }

    /// The memory that it stood in, empty and overwritten.
    #[must_use]
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.0.into_buffer()
    }
}

impl PartList {
    /// Verifies and opens the part at `index`, as it was fetched.
    ///
    /// # Errors
    /// [`OpenPartError`]; nothing of the part may be used then, and [`OpenPartError::is_senders`] says whether fetching it
    /// again can help.
    pub fn open_part(
        &self,
        index: PartIndex,
        fetched: UnverifiedBlob,
    ) -> Result<OpenedPart, OpenPartError> {
        let digest = self.digest(index).ok_or(OpenPartError::WrongPlace)?;
        let blob = fetched.verify(&digest).map_err(|error| match error {
            VerifyError::DigestMismatch => OpenPartError::DigestMismatch,
            VerifyError::WrongLength => OpenPartError::WrongSize,
        })?;
        // The right digest, so the list itself means a blob of another size.
        if blob.class() != self.plan().class() {
            return Err(OpenPartError::AnotherClass);
        }
        let nonce = blob.nonce().ok_or(OpenPartError::Corrupt)?;
        let key = self.secret().part_key(index, nonce);
        let opened = blob.open(&key).map_err(|error| match error {
            OpenError::Corrupt => OpenPartError::Corrupt,
            OpenError::Malformed => OpenPartError::NotAPart,
            OpenError::Newer => OpenPartError::Newer,
            OpenError::WrongKey => OpenPartError::WrongPlace,
        })?;
        // A header of this kind has neither name nor date, else it had not been read.
        if opened.header().kind != ContentKind::Part {
            return Err(OpenPartError::NotAPart);
        }
        if opened.content().len() != self.plan().content_len(index) {
            return Err(OpenPartError::AnotherLength);
        }
        Ok(OpenedPart(opened))
    }
}

/// Why a fetched part is refused, and with it the whole.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum OpenPartError {
    /// The sender sealed it into another size than the other parts.
    #[error("the part has another size than the others")]
    AnotherClass,
    /// The part carries more or fewer bytes than its place has.
    #[error("the part has another length than the list says")]
    AnotherLength,
    /// The seal is broken although the key is right.
    #[error("the seal of the part is broken")]
    Corrupt,
    /// The bytes are not those that the list means.
    #[error("the part is not the one that the list means")]
    DigestMismatch,
    /// The blob has something in the header that this version does not know.
    #[error("the part was made by a newer version")]
    Newer,
    /// What was sealed here is no part, or is not as parts are.
    #[error("the blob is no part")]
    NotAPart,
    /// The part is sealed for another place, or for another whole.
    #[error("the part does not belong at this place")]
    WrongPlace,
    /// No blob has this length: the bytes are cut off.
    #[error("no part has this length")]
    WrongSize,
}

impl OpenPartError {
    /// Whether the sender made it so: the digest was right, and every server has the same bytes. Else the server sent other
    /// bytes than were stored, and the part may be fetched again, or from the mirror.
    #[must_use]
    pub const fn is_senders(self) -> bool {
        !matches!(self, Self::DigestMismatch | Self::WrongSize)
    }
}
