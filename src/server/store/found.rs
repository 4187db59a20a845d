//! A blob that was found: read whole into a buffer, or piece by piece.

use std::{
    fs::File,
    io::{self, Read as _},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream, stream::BoxStream};
use object_store::{GetResult, GetResultPayload};

use super::StoreFault;
use crate::server::files::record::{BlobRecord, RECORD_LEN};

/// A blob that is there; its bytes are not read yet.
pub struct LiveBlob {
    rest: Rest,
    len: u64,
    patience: Duration,
}

enum Rest {
    File(File),
    Stream {
        next: Bytes,
        following: BoxStream<'static, object_store::Result<Bytes>>,
    },
}

impl LiveBlob {
    /// Reads the record before the blob.
    pub(super) async fn open(
        result: GetResult,
        patience: Duration,
    ) -> Result<(BlobRecord, Self), StoreFault> {
        let len = result
            .meta
            .size
            .checked_sub(RECORD_LEN as u64)
            .ok_or(StoreFault::Failed)?;
        let (record, rest) = match result.payload {
            GetResultPayload::File(mut file, _path) => {
                let reading = tokio::task::spawn_blocking(move || {
                    let mut record = [0; RECORD_LEN];
                    file.read_exact(&mut record)?;
                    Ok::<_, io::Error>((record, Rest::File(file)))
                });
                within(patience, reading)
                    .await?
                    .map_err(|_panicked| StoreFault::Failed)?
                    .map_err(|_fault| StoreFault::Failed)?
            }
            GetResultPayload::Stream(mut following) => {
                let mut start = BytesMut::new();
                while start.len() < RECORD_LEN {
                    match within(patience, following.next()).await? {
                        Some(Ok(piece)) => start.extend_from_slice(&piece),
                        Some(Err(_)) | None => return Err(StoreFault::Failed),
                    }
                }
                let mut next = start.freeze();
                let record = next.split_to(RECORD_LEN);
                let record = *record.first_chunk().ok_or(StoreFault::Failed)?;
                (record, Rest::Stream { next, following })
            }
        };
        let found = Self {
            rest,
            len,
            patience,
        };
        Ok((
            BlobRecord::decode(&record).ok_or(StoreFault::Failed)?,
            found,
        ))
    }

    /// The blob's length.
    #[must_use]
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Appends the whole blob to `buffer`, which should have room for it: then nothing is copied twice.
    ///
    /// # Errors
    /// [`StoreFault`] when it could not be read whole.
    pub async fn read_into(self, mut buffer: Vec<u8>) -> Result<Vec<u8>, StoreFault> {
        let len = usize::try_from(self.len).map_err(|_too_long| StoreFault::Failed)?;
        let end = buffer.len() + len;
        match self.rest {
            Rest::File(file) => {
                let limit = self.len;
                let reading = tokio::task::spawn_blocking(move || {
                    file.take(limit).read_to_end(&mut buffer)?;
                    Ok::<_, io::Error>(buffer)
                });
                buffer = within(self.patience, reading)
                    .await?
                    .map_err(|_panicked| StoreFault::Failed)?
                    .map_err(|_fault| StoreFault::Failed)?;
            }
            Rest::Stream {
                next,
                mut following,
            } => {
                buffer.extend_from_slice(&next);
                while buffer.len() < end {
                    match within(self.patience, following.next()).await? {
                        Some(Ok(piece)) => buffer.extend_from_slice(&piece),
                        Some(Err(_)) | None => return Err(StoreFault::Failed),
                    }
                }
            }
        }
        if buffer.len() == end {
            Ok(buffer)
        } else {
            Err(StoreFault::Failed)
        }
    }

    /// The blob in pieces of at most [`PIECE_LEN`] from a folder, and of the store's own size from elsewhere.
    ///
    /// A blob that ends early is an error, not an end.
    pub(crate) fn pieces(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let patience = self.patience;
        stream::try_unfold((self.rest, self.len), move |(rest, left)| async move {
            if left == 0 {
                return Ok(None);
            }
            let (piece, rest) = match rest {
                Rest::File(mut file) => {
                    let reading = tokio::task::spawn_blocking(move || {
                        let limit = left.min(PIECE_LEN);
                        let mut piece = Vec::with_capacity(usize::try_from(limit).unwrap_or(0));
                        (&mut file).take(limit).read_to_end(&mut piece)?;
                        Ok::<_, io::Error>((Bytes::from(piece), Rest::File(file)))
                    });
                    in_time(patience, reading).await???
                }
                Rest::Stream {
                    next,
                    mut following,
                } => {
                    let piece = if next.is_empty() {
                        match in_time(patience, following.next()).await? {
                            Some(piece) => piece.map_err(io::Error::other)?,
                            None => Bytes::new(),
                        }
                    } else {
                        next
                    };
                    let rest = Rest::Stream {
                        next: Bytes::new(),
                        following,
                    };
                    (piece, rest)
                }
            };
            let left = left
                .checked_sub(piece.len() as u64)
                .filter(|_| !piece.is_empty())
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            Ok(Some((piece, (rest, left))))
        })
    }
}

async fn within<T>(patience: Duration, reading: impl Future<Output = T>) -> Result<T, StoreFault> {
    tokio::time::timeout(patience, reading)
        .await
        .map_err(|_elapsed| StoreFault::Hangs)
}

async fn in_time<T>(patience: Duration, reading: impl Future<Output = T>) -> io::Result<T> {
    within(patience, reading).await.map_err(io::Error::other)
}

/// Bytes of a piece read from a folder.
pub(crate) const PIECE_LEN: u64 = 32 * 1024;
