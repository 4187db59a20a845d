//! What servers and seeds say in JSON, as a client reads it.
#![no_main]

mod bounded;

use bounded::bounded;
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::file_api::{
    read_file_info, read_server_info, read_signed_list, read_status, read_uploaded,
};
use cloakroom::protocol::onion::v4::Response;
use cloakroom::protocol::relay_list::SessionNodes;
use libfuzzer_sys::fuzz_target;

/// When the nodes are fetched.
const NOW: u64 = 1_790_000_000;

fuzz_target!(|bytes: &[u8]| {
    let response = Response {
        code: 200,
        headers: Vec::new(),
        body: bytes.to_vec().into(),
    };
    let len = bytes.len();
    bounded(len, || read_file_info(&response)).ok();
    bounded(len, || read_signed_list(&response)).ok();
    bounded(len, || read_uploaded(&response, 1, &Digest::of(b"x"))).ok();
    if let Ok(info) = bounded(len, || read_server_info(&response)) {
        assert!(info.features.len() <= 64);
    }
    if let Ok(status) = bounded(len, || read_status(&response)) {
        assert!(status.receipts.len() <= 300);
    }
    if let Ok(nodes) = bounded(len, || SessionNodes::read_answer(bytes, NOW)) {
        let kept = SessionNodes::read_kept(nodes.to_json().as_bytes());
        assert_eq!(kept, Ok(nodes));
    }
});
