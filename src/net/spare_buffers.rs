//! Large buffers that the requests of one transfer use one after the other.
//!
//! A part of 10 MB takes one buffer while it is fetched and two while it is sent, and four parts are on their way at once.
//! Allocators keep much of what was freed, by thread. Parts are sealed and opened on whichever thread is free, so buffers
//! that were allocated anew for each part took more than twice the memory of those in use: 163 MiB above a small file for
//! a share of 2 GB and 124 MiB for a get, with glibc, where 78 and 48 are enough. Here a buffer is allocated only while all
//! others are in use.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::protocol::exchange::RequestMemory;

/// Buffers that are free at this moment. Clones share them; the last one frees them.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpareBuffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl SpareBuffers {
    /// Takes an empty buffer with room for `len` bytes.
    #[must_use]
    pub(crate) fn take(&self, len: usize) -> Vec<u8> {
        if len < MIN_LEN {
            return Vec::with_capacity(len);
        }
        let mut free = self.0.lock();
        let large_enough = free.iter().position(|buffer| buffer.capacity() >= len);
        let taken = large_enough.map(|at| free.swap_remove(at));
        drop(free);
        // Rounded up, so that the buffer of a blob also has room for the request around one.
        taken.unwrap_or_else(|| Vec::with_capacity(len.next_multiple_of(STEP_LEN)))
    }

    /// Takes back a buffer that nobody uses any more. What stands in it may be read by whoever takes it next: secrets are
    /// overwritten before.
    pub(crate) fn put(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut free = self.0.lock();
        if buffer.capacity() >= MIN_LEN && free.len() < MAX_FREE {
            free.push(buffer);
        }
    }

    /// Gives these bytes away to be sent. Their buffer comes back once the last piece of them is dropped.
    #[must_use]
    pub(crate) fn lend(&self, bytes: Vec<u8>) -> Bytes {
        let home = self.clone();
        Bytes::from_owner(LentBuffer { bytes, home })
    }
}

impl RequestMemory for SpareBuffers {
    fn take(&self, len: usize) -> Vec<u8> {
        self.take(len)
    }
}

struct LentBuffer {
    bytes: Vec<u8>,
    home: SpareBuffers,
}

impl AsRef<[u8]> for LentBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for LentBuffer {
    fn drop(&mut self) {
        self.home.put(core::mem::take(&mut self.bytes));
    }
}

/// Shorter buffers are allocated as they are needed.
const MIN_LEN: usize = 1 << 20;
/// Lengths are rounded up to a multiple of this.
const STEP_LEN: usize = 64 * 1_024;
/// As many as four parts need that are sent at once.
const MAX_FREE: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const LEN: usize = 10_000_000;

    #[test]
    fn a_buffer_is_allocated_only_while_all_others_are_in_use() {
        let buffers = SpareBuffers::default();
        let (one, other) = (buffers.take(LEN), buffers.take(LEN));
        let at = one.as_ptr();
        buffers.put(one);
        let again = buffers.take(LEN + 2_560);
        assert_eq!(again.as_ptr(), at, "a request around a blob fits too");
        let third = buffers.take(LEN);
        assert_ne!(third.as_ptr(), other.as_ptr());
    }

    #[test]
    fn a_lent_buffer_comes_back_with_its_last_piece() {
        let buffers = SpareBuffers::default();
        let mut bytes = buffers.take(LEN);
        let at = bytes.as_ptr();
        bytes.resize(LEN, 7);
        let mut lent = buffers.lend(bytes);
        let piece = lent.split_to(100);
        drop(lent);
        assert_eq!(buffers.0.lock().len(), 0);
        drop(piece);
        let again = buffers.take(LEN);
        assert_eq!((again.as_ptr(), again.len()), (at, 0));
    }

    #[test]
    fn small_buffers_and_more_than_are_needed_are_not_kept() {
        let buffers = SpareBuffers::default();
        buffers.put(vec![0; MIN_LEN - 1]);
        assert_eq!(buffers.0.lock().len(), 0);
        for _ in 0..=MAX_FREE {
            buffers.put(Vec::with_capacity(LEN));
        }
        assert_eq!(buffers.0.lock().len(), MAX_FREE);
    }
}
