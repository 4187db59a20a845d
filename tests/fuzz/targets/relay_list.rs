//! Relay lists and entries as files and servers give them.
#![no_main]

mod bounded;

use bounded::bounded;
use cloakroom::protocol::relay_list::{RelayDescriptor, RelayList};
use libfuzzer_sys::fuzz_target;

/// Lists that expire later are good.
const NOW: u64 = 1_790_000_000;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(list) = bounded(bytes.len(), || RelayList::parse(bytes, NOW)) {
        assert!(list.relays.len() >= 3);
        assert_eq!(RelayList::parse(list.to_json().as_bytes(), NOW), Ok(list));
    }
    let text = String::from_utf8_lossy(bytes);
    if let Ok(entry) = bounded(text.len(), || RelayDescriptor::parse(&text)) {
        assert_eq!(RelayDescriptor::parse(&entry.to_json()), Ok(entry));
    }
});
