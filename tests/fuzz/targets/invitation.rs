//! What a person pastes: never a panic, and an invitation that is found in a text is found in its own text again.
#![no_main]

mod bounded;

use bounded::bounded;
use cloakroom::protocol::invitation::Invitation;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let Ok(invitation) = bounded(text.len(), || Invitation::find(&text, 0)) else {
        return;
    };
    let written = invitation.to_text();
    let found = Invitation::find(written.as_str(), 0).expect("what is written can be read");
    assert!(found.to_text().as_str() == written.as_str());
});
