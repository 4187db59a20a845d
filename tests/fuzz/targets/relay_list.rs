//! Relay lists and entries as files and servers give them.
#![no_main]

use cloakroom::protocol::relay_list::{RelayDescriptor, RelayList};
use libfuzzer_sys::fuzz_target;

/// Lists that expire later are good.
const NOW: u64 = 1_790_000_000;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(list) = RelayList::parse(bytes, NOW) {
        assert!(list.relays.len() >= 3);
        assert_eq!(RelayList::parse(list.to_json().as_bytes(), NOW), Ok(list));
    }
    if let Ok(entry) = RelayDescriptor::parse(&String::from_utf8_lossy(bytes)) {
        assert_eq!(RelayDescriptor::parse(&entry.to_json()), Ok(entry));
    }
});
