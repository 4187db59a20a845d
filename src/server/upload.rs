//! Taking a blob in: what the operator asks of it, its id, its place in the store.

use std::sync::Arc;

use bytes::Bytes;
use rand_core::Rng as _;

use super::{
    blob_store::{FileSlot, PutError},
    files::{Files, HOUR, Refusal, UNKNOWN},
    record::Record,
    stats::Count,
};
use crate::{
    protocol::{
        address::FileId,
        capability::work,
        digest::Digest,
        file_api::{FileAnswer, Upload, Uploaded},
        keys::Ed25519Public,
    },
    wire::{body::Held, random, reserve::Reservation},
};

impl Files {
    pub(super) async fn upload(
        &self,
        upload: Upload,
        key: &Ed25519Public,
        reservation: Option<Reservation>,
    ) -> Result<FileAnswer, Refusal> {
        if self.access_word.is_some() && upload.access != self.access_word {
            return Err(Refusal(401));
        }
        let size = upload.blob.len() as u64;
        if size == 0 || size > self.policy.max_blob {
            return Err(Refusal(413));
        }
        let now = self.clock.now();
        let expires = self.expiry_hour(upload.ttl_secs, now.secs)?;
        if !now.is_right() {
            return Err(Refusal(503));
        }
        let uploaded = u32::try_from(now.secs / HOUR).map_err(|_far| Refusal(503))?;

        let hashing = tokio::task::spawn_blocking(move || {
            let digest = Digest::of(&upload.blob);
            (digest, upload)
        });
        let (digest, upload) = hashing.await.map_err(|_panicked| Refusal(500))?;
        if let Some(bits) = &self.work_bits {
            let bits = work::bits_for(bits, size);
            let done = |n| work::work_is_enough(key, &digest, n, bits);
            if bits > 0 && !upload.work.is_some_and(done) {
                return Err(Refusal(428));
            }
        }
        let id = match &upload.owner {
            Some(owner) => FileId::for_blob(expires, owner, &digest),
            None => {
                let mut drawn = [0; 13];
                random::system().fill_bytes(&mut drawn);
                FileId::random(expires, drawn)
            }
        };
        let file = FileSlot::of(&id).ok_or(Refusal(503))?;
        let record = Record::new(
            expires,
            uploaded,
            upload.owner.as_ref(),
            upload.receipts.as_ref(),
        );
        let drawn = upload.owner.is_none();
        // The memory is given back with the last of the bytes, also when the store is slow and nobody waits any more.
        let blob = match reservation {
            Some(reservation) => Held::new(upload.blob, reservation).into_bytes(),
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
        self.stats.add(Count::Uploads, 1);
        self.stats.add(Count::UploadBytes, size);
        Ok(FileAnswer::Uploaded(Uploaded {
            id: id.as_str().to_owned(),
            expires: f64::from(expires) * 3600.0,
            size: Some(size),
            digest: Some(digest.to_hex()),
        }))
    }

    /// The hour at whose beginning a file expires that is to be kept for `ttl_secs` from `now`.
    pub(super) fn expiry_hour(&self, ttl_secs: Option<u64>, now: u64) -> Result<u32, Refusal> {
        let ttl = ttl_secs.unwrap_or(self.policy.ttl_default);
        if !(HOUR..=self.policy.ttl_max).contains(&ttl) {
            return Err(Refusal(400));
        }
        u32::try_from(now.saturating_add(ttl).div_ceil(HOUR)).map_err(|_far| Refusal(503))
    }
}
