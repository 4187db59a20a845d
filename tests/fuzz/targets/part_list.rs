//! A list of parts, made by somebody who seals it and means harm: never a panic, and what is read is in its one form.
#![no_main]

mod bounded;

use bounded::bounded;
use cloakroom::protocol::address::{FileId, ServerAddress, ServerUrl};
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::parts::{PartList, Store};
use cloakroom::protocol::pointer::{Pointer, PointerKey};
use cloakroom::protocol::seal::{ContentKind, FileKey, Opened, Sealed, seal};
use libfuzzer_sys::fuzz_target;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

// The length in the pointer, then the list.
fuzz_target!(|bytes: &[u8]| {
    let Some((whole_len, content)) = bytes.split_first_chunk() else {
        return;
    };
    let pointer = pointer(u64::from_le_bytes(*whole_len));
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let opened = match seal(ContentKind::PartList, None, None, content, &mut rng) {
        Ok(sealed) => open(sealed),
        Err(_too_long) => return,
    };
    for mirrored in [false, true] {
        let read = bounded(content.len(), || {
            PartList::read(&opened, &pointer, mirrored)
        });
        let Ok(list) = read else {
            continue;
        };
        let plan = list.plan();
        assert!(plan.indices().all(|index| plan.content_len(index) > 0));
        for index in plan.indices() {
            assert!(list.id(Store::Server, index).is_some());
            assert_eq!(list.id(Store::Mirror, index).is_some(), mirrored);
        }
        let again = list.seal(None, None, &mut rng).expect("it was in a blob");
        assert!(open(again).content() == content);
    }
});

fn open(sealed: Sealed) -> Opened {
    match sealed.blob.open(&sealed.key) {
        Ok(opened) => opened,
        Err(error) => panic!("{error}"),
    }
}

fn pointer(content_len: u64) -> Pointer {
    Pointer {
        server: ServerAddress {
            url: ServerUrl::parse("https://files.example").expect("a URL"),
            key: Identity::from_seed([1; 32]).public(),
        },
        id: FileId::parse("list").expect("an id"),
        key: PointerKey::Whole(FileKey::from_bytes([2; 32])),
        digest: Digest::of(b""),
        content_len,
        name: None,
        kind: ContentKind::PartList,
        expires: None,
        receipts: None,
        relay_list: None,
    }
}
