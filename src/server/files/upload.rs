//! Taking a blob in: what the operator asks of it, its id, its place in the store.

use std::sync::Arc;

use bytes::Bytes;
use rand_core::Rng as _;

use super::record::BlobRecord;
use super::{Files, Refusal, UNKNOWN};
use crate::server::operate::stats::Counter;
use crate::server::store::{FileSlot, PutError};
use crate::{
    protocol::{
        address::FileId,
        capability::{
            AccessWord, OwnedId,
            expiry::{self, HOUR_SECS},
            work,
        },
        digest::Digest,
        file_api::{Expiry, FileAnswer, Upload, Uploaded},
        keys::Ed25519Public,
    },
    wire::{body::BufferedBody, random, reserve::Reservation},
};

impl Files {
    pub(crate) async fn upload(
        &self,
        upload: Upload,
        key: &Ed25519Public,
        reservation: Option<Reservation>,
    ) -> Result<FileAnswer, Refusal> {
        if !self.lets_upload(upload.access.as_ref()) {
            return Err(Refusal(401));
        }
        let size = upload.blob.len() as u64;
        if size == 0 || size > self.policy.max_blob {
            return Err(Refusal(413));
        }
        let now = self.clock.now().to_store_by().ok_or(Refusal(503))?;
        let expires = self.expiry_hour(upload.expiry, now)?;
        // Work is bound to an id that follows from the owner.
        if self.work.is_some() && upload.owner.is_none() {
            return Err(Refusal(400));
        }

        let hashing = tokio::task::spawn_blocking(move || {
            let digest = Digest::of(&upload.blob);
            (digest, upload)
        });
        let (digest, upload) = hashing.await.map_err(|_panicked| Refusal(500))?;
        let owned = upload
            .owner
            .map(|owner| OwnedId::new(expires, &owner, &digest));
        if let Some(base) = self.work {
            let done = |(id, n)| work::work_is_enough(key, &id, n, base.bits_for(size));
            if !owned.zip(upload.work).is_some_and(done) {
                return Err(Refusal(428));
            }
        }
        let id = owned.map_or_else(
            || {
                let mut drawn = [0; 30];
                random::system().fill_bytes(&mut drawn);
                FileId::random(expires, drawn)
            },
            |owned| owned.file_id(),
        );
        let file = FileSlot::of(&id).ok_or(Refusal(503))?;
        let record = BlobRecord::new(
            expires,
            expiry::hour_of(now),
            upload.owner.as_ref(),
            upload.receipts.as_ref(),
        );
        let drawn = owned.is_none();
        // The memory is given back with the last of the bytes, also when the store is slow and nobody waits any more.
        let blob = match reservation {
            Some(reservation) => BufferedBody::new(upload.blob, reservation).into_bytes(),
            None => Bytes::from(upload.blob),
        };
        let store = Arc::clone(&self.store);
        // A task of its own: when the client hangs up, what is begun is finished and counted.
        let storing = tokio::spawn(async move { store.put(&file, &record, blob, drawn).await });
        match storing.await {
            Ok(Ok(())) => {}
            Ok(Err(PutError::Full)) => return Err(Refusal(507)),
            Ok(Err(PutError::Gone)) => return Err(UNKNOWN),
            Ok(Err(PutError::Store(fault))) => return Err(fault.into()),
            Err(_panicked) => return Err(Refusal(500)),
        }
        self.stats.add(Counter::Uploads, 1);
        self.stats.add(Counter::UploadBytes, size);
        Ok(FileAnswer::Uploaded(Uploaded {
            id: id.as_str().to_owned(),
            expires: Some(f64::from(expires) * 3600.0),
            size: Some(size),
            digest: Some(digest.to_hex()),
        }))
    }

    /// Whether an upload with this word is taken: the network has the words that replaced the one of the settings.
    fn lets_upload(&self, word: Option<&AccessWord>) -> bool {
        match self.relay_lists.network() {
            Some(network) => network.lets_upload(word),
            None => self.access_word.is_none() || word == self.access_word.as_ref(),
        }
    }

    /// Returns the hour (since 1970, UTC) with which a file expires whose upload or extension asks for `wished`.
    ///
    /// # Errors
    /// 400 for an hour that has passed or lies beyond the maximum.
    pub(crate) fn expiry_hour(&self, wished: Option<Expiry>, now: u64) -> Result<u32, Refusal> {
        let allowed = match wished {
            Some(Expiry::AtHour(hour)) => {
                Some(hour).filter(|&hour| expiry::is_allowed(hour, now, self.policy.ttl_max))
            }
            Some(Expiry::InSecs(secs)) => Some(secs)
                .filter(|secs| (HOUR_SECS..=self.policy.ttl_max).contains(secs))
                .map(|secs| expiry::expiry_hour(now, secs)),
            None => Some(expiry::expiry_hour(now, self.policy.ttl_default)),
        };
        allowed.ok_or(Refusal(400))
    }
}
