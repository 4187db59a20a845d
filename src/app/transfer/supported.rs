//! What this version can do with a pointer, one question per operation.

use crate::app::error::{AppError, NeedsNewer};
use crate::protocol::pointer::Pointer;
use crate::protocol::seal::FileKey;

/// Something that can be done with a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PointerUse {
    /// Fetching, verifying and opening the file.
    Get,
    /// Deleting the server's copy, or having it kept longer: by its id, without its key, unless it is in parts.
    Manage,
    /// Asking how the file fares; receipts are checked with its key.
    Status,
}

impl PointerUse {
    /// Checks that this version can do that with `pointer`.
    ///
    /// # Errors
    /// [`AppError::NeedsNewer`].
    pub(crate) fn check(self, pointer: &Pointer) -> Result<(), AppError> {
        match self.needs_newer(pointer) {
            None => Ok(()),
            Some(needs) => Err(AppError::NeedsNewer(needs)),
        }
    }

    fn needs_newer(self, pointer: &Pointer) -> Option<NeedsNewer> {
        let uses_key = matches!(self, Self::Get | Self::Status);
        // With words the pointer carries only half of the key.
        (uses_key && pointer.key.whole().is_none()).then_some(NeedsNewer::Words)
    }
}

/// Returns the key of the blob that `pointer` describes.
///
/// # Errors
/// [`AppError::NeedsNewer`] when words must complete it, which this version does not have yet.
pub(super) fn whole_key(pointer: &Pointer) -> Result<&FileKey, AppError> {
    let needs_words = AppError::NeedsNewer(NeedsNewer::Words);
    pointer.key.whole().ok_or(needs_words)
}
