//! What a person pastes: never a panic, and what is found in a text is found in its own text again.
#![no_main]

mod bounded;

use bounded::bounded;
use cloakroom::protocol::pointer::Pointer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let Ok(pointer) = bounded(text.len(), || Pointer::find(&text)) else {
        return;
    };
    let written = pointer.to_text();
    let found = Pointer::find(written.as_str()).expect("what is written can be read");
    assert!(found.to_text().as_str() == written.as_str());
});
