//! What owners and recipients do to a file that is there: extend, delete, tell of a download, ask the status.
//!
//! Who may not is answered as if there were no file.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::record::BlobRecord;
use super::{Files, Refusal, UNKNOWN, describe};
use crate::protocol::{
    address::FileId,
    capability::{DownloadReceipt, OwnerHash, OwnerToken, expiry::hour_begins},
    file_api::{Expiry, FileAnswer, FileStatus, MAX_RECEIPTS},
    keys::Ed25519Public,
};
use crate::server::operate::stats::Counter;
use crate::server::store::{BlobStore, FileRecord, FileSlot, StoreFault};

impl Files {
    /// Only ever lengthens. A file without an owner may be extended by anybody, as at Session's servers, but not by
    /// little: each extension is an object of its own.
    pub(crate) async fn extend(
        &self,
        id: &FileId,
        expiry: Option<Expiry>,
        token: Option<&OwnerToken>,
    ) -> Result<FileAnswer, Refusal> {
        let now = self.clock.now().to_store_by().ok_or(Refusal(503))?;
        let wished = self.expiry_hour(expiry, now)?;
        let slot = FileSlot::of(id).ok_or(UNKNOWN)?;
        let mut stored = self.live(&slot).await?;
        let owned = is_owner(&stored.record, token);
        if stored.record.owner != [0; 32] && !owned {
            return Err(UNKNOWN);
        }
        let gained_hours = wished.saturating_sub(stored.expiry_hour);
        if gained_hours >= if owned { 1 } else { LEAST_GAIN_HOURS } {
            if !self.store.extend(&slot, wished).await? {
                return Err(UNKNOWN);
            }
            // Said to be extended only if no sweep can have looked before the extension was written.
            if self.clock.now().secs >= hour_begins(stored.expiry_hour) {
                return Err(UNKNOWN);
            }
            stored.expiry_hour = wished;
            self.stats.add(Counter::Extensions, 1);
        }
        Ok(FileAnswer::Extended(describe(&stored)))
    }

    /// Deleting again is no error for the owner: the answer to the first time may have been lost.
    pub(crate) async fn delete(
        &self,
        id: &FileId,
        token: &OwnerToken,
    ) -> Result<FileAnswer, Refusal> {
        let (slot, stored) = self.owned(id, token).await?;
        if !stored.gone {
            self.store.remove(&slot, &stored).await?;
            self.stats.add(Counter::Deletions, 1);
        }
        Ok(FileAnswer::Deleted)
    }

    /// Counts a download, once for each nonce; the last one that is allowed removes the file before it is answered.
    pub(crate) async fn receipt(
        &self,
        id: &FileId,
        receipt: &DownloadReceipt,
    ) -> Result<FileAnswer, Refusal> {
        let slot = FileSlot::of(id).ok_or(UNKNOWN)?;
        let mut stored = self.store.look(&slot).await?.ok_or(UNKNOWN)?;
        let wanted = receipt_key(&stored.record).is_some_and(|key| receipt.verify(&key, id));
        if !wanted || self.is_expired(&slot, &mut stored).await? {
            return Err(UNKNOWN);
        }
        let nonce = data_encoding::HEXLOWER.encode(&receipt.nonce);
        let mut nonces = self.store.nonces(&slot).await?;
        if !nonces.contains(&nonce) {
            if stored.gone || stored.record.is_used_up(nonces.len()) {
                return Err(UNKNOWN);
            }
            if nonces.len() < usize::try_from(MAX_RECEIPTS).unwrap_or(usize::MAX) {
                let kept = Bytes::copy_from_slice(&receipt.signature);
                self.store.put_receipt(&slot, &nonce, kept).await?;
                self.stats.add(Counter::Receipts, 1);
                nonces = self.store.nonces(&slot).await?;
            }
        }
        if !stored.gone && stored.record.is_used_up(nonces.len()) {
            self.store.remove(&slot, &stored).await?;
        }
        Ok(FileAnswer::ReceiptTaken)
    }

    /// Includes a file that was used up, until it expires; excludes one that its owner deleted.
    pub(crate) async fn status(
        &self,
        id: &FileId,
        token: &OwnerToken,
    ) -> Result<FileAnswer, Refusal> {
        let (slot, stored) = self.owned(id, token).await?;
        let nonces = self.store.nonces(&slot).await?;
        if stored.gone && !stored.record.is_used_up(nonces.len()) {
            return Err(UNKNOWN);
        }
        let kept = nonces
            .into_iter()
            .map(|nonce| kept_receipt(Arc::clone(&self.store), slot.clone(), nonce));
        let receipts: Vec<_> = stream::iter(kept).buffered(AT_ONCE).try_collect().await?;
        let info = describe(&stored);
        Ok(FileAnswer::Status(FileStatus {
            size: info.size,
            uploaded: info.uploaded,
            expires: info.expires,
            allowed: stored.record.downloads,
            receipts: receipts.into_iter().flatten().collect(),
        }))
    }

    /// A file, removed or not, of whoever shows the token.
    async fn owned(
        &self,
        id: &FileId,
        token: &OwnerToken,
    ) -> Result<(FileSlot, FileRecord), Refusal> {
        let slot = FileSlot::of(id).ok_or(UNKNOWN)?;
        let mut stored = self.store.look(&slot).await?.ok_or(UNKNOWN)?;
        if !is_owner(&stored.record, Some(token)) || self.is_expired(&slot, &mut stored).await? {
            return Err(UNKNOWN);
        }
        Ok((slot, stored))
    }
}

async fn kept_receipt(
    store: Arc<BlobStore>,
    slot: FileSlot,
    nonce: String,
) -> Result<Option<DownloadReceipt>, StoreFault> {
    let kept = store.receipt(&slot, &nonce).await?;
    let nonce = data_encoding::HEXLOWER.decode(nonce.as_bytes());
    Ok(nonce.ok().zip(kept).and_then(|(nonce, signature)| {
        Some(DownloadReceipt {
            nonce: nonce.try_into().ok()?,
            signature: signature.as_ref().try_into().ok()?,
        })
    }))
}

fn is_owner(record: &BlobRecord, token: Option<&OwnerToken>) -> bool {
    token.is_some_and(|token| {
        record.owner != [0; 32] && token.hash() == OwnerHash::from_bytes(record.owner)
    })
}

fn receipt_key(record: &BlobRecord) -> Option<Ed25519Public> {
    (record.receipt_key != [0; 32])
        .then(|| Ed25519Public::from_bytes(record.receipt_key).ok())
        .flatten()
}

/// Hours that an extension by somebody who is not the owner must add at least.
const LEAST_GAIN_HOURS: u32 = 24;
/// Number of receipts that are read concurrently.
const AT_ONCE: usize = 16;
