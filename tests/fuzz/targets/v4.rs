//! The message inside the innermost layer, both ways.
#![no_main]

use cloakroom::protocol::onion::v4;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let whole = || 0..bytes.len();
    if let Ok((head, body)) = v4::decode_request(bytes.to_vec(), whole()) {
        assert!(head.endpoint.starts_with('/') && body.len() < bytes.len());
    }
    if let Ok(answer) = v4::decode_answer(bytes.to_vec(), whole()) {
        assert!(answer.body.len() < bytes.len());
    }
    // A range that is not the buffer's own is no reason to panic either.
    v4::decode_answer(bytes.to_vec(), bytes.len() / 2..bytes.len() + 1).ok();
});
