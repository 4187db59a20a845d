//! What a relay posts to a server: never a panic, and what is read is written again as it was.
#![no_main]

mod bounded;

use bounded::bounded;
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::network::SignedAnnouncement;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(signed) = bounded(bytes.len(), || SignedAnnouncement::parse(bytes)) else {
        return;
    };
    let again = SignedAnnouncement::parse(signed.to_json().as_bytes());
    assert!(again.expect("what is written can be read") == signed);
    let server = Identity::from_seed([1; 32]).public();
    drop(bounded(bytes.len(), || signed.verify(&server)));
});
