//! The message inside the innermost layer, both ways.
#![no_main]

mod bounded;

use bounded::bounded;
use cloakroom::protocol::onion::v4;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (len, whole) = (bytes.len(), || 0..bytes.len());
    if let Ok((head, body)) = bounded(len, || v4::decode_request(bytes.to_vec(), whole())) {
        assert!(head.headers.len() <= v4::MAX_HEADERS);
        assert!(head.endpoint.starts_with('/') && body.len() < bytes.len());
    }
    if let Ok(answer) = bounded(len, || v4::decode_answer(bytes.to_vec(), whole())) {
        assert!(answer.body.len() < len && answer.headers.len() <= v4::MAX_HEADERS);
    }
    // A range that is not the buffer's own is no reason to panic either.
    v4::decode_answer(bytes.to_vec(), bytes.len() / 2..bytes.len() + 1).ok();
});
