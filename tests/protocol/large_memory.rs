//! Decoders of folders, lists of parts and states of transfers take no more heap than all others
//! ([`allowed`](super::decoder_memory::allowed)), whatever they are given, and the largest folder much less.

use allocation_counter::measure;
use cloakroom::protocol::address::{FileId, ServerAddress, ServerUrl};
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::folder::{
    EntryKind, FolderEntry, MAX_ENTRIES, MAX_MANIFEST_LEN, ManifestReader, ManifestWriter,
};
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::parts::{MAX_PARTS, PartList, PartListBuilder, PartPlan, PartsSecret};
use cloakroom::protocol::pointer::{Pointer, PointerKey};
use cloakroom::protocol::resume::{Log, LogWriter, RecipientRecord, ResumeKey, SenderRecord};
use cloakroom::protocol::seal::{ContentKind, FileKey, Opened, seal};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::decoder_memory::allowed;

/// Bytes of a long input, or of a part that comes in.
const LONG: usize = 9_900_000;

/// CBOR of about `len` bytes for a place where a map is expected, made to take memory.
fn cbor_bombs(len: usize) -> Vec<(&'static str, Vec<u8>)> {
    let big = u32::try_from(len).unwrap();
    let head = |major: u8, number: u32| {
        let mut head = vec![major << 5 | 26];
        head.extend_from_slice(&number.to_be_bytes());
        head
    };
    let keys: Vec<u8> = (0x10000..)
        .take(len / 6)
        .flat_map(|key| [head(0, key), vec![0xf6]].concat())
        .collect();
    vec![
        ("many keys", [head(5, big / 6), keys].concat()),
        ("many maps", [0xa0].repeat(len)),
        ("nested maps", [0xa1, 0].repeat(len / 2)),
        (
            "nested arrays",
            [&[0xa1, 0][..], &[0x81].repeat(len)].concat(),
        ),
        (
            "arrays never closed",
            [&[0xa1, 0][..], &[0x9f].repeat(len)].concat(),
        ),
        (
            "a long text",
            [&[0xa1, 0][..], &head(3, big), &b"x".repeat(len)].concat(),
        ),
        (
            "a long path of many steps",
            [
                &[0xa2, 0][..],
                &head(3, big),
                &b"a/".repeat(len / 2),
                &[1, 0],
            ]
            .concat(),
        ),
        (
            "many short entries",
            (0..len / 10)
                .flat_map(|at| [b"\xa2\x00\x65", format!("{at:05x}").as_bytes(), &[1, 0]].concat())
                .collect(),
        ),
    ]
}

fn prefixed(manifest: &[u8]) -> Vec<u8> {
    let len = u32::try_from(manifest.len()).unwrap();
    [&len.to_le_bytes()[..], manifest].concat()
}

/// Reads a folder whose files are all empty, as it comes in parts.
fn read_folder(content: &[u8]) -> bool {
    let mut reader = ManifestReader::new(content.len() as u64);
    let pushed = content.chunks(LONG).try_for_each(|part| reader.push(part));
    pushed.and_then(|()| reader.finish()).is_ok()
}

#[test]
fn a_hostile_folder_takes_no_more() {
    for (bomb, manifest) in cbor_bombs(LONG) {
        let content = prefixed(&manifest);
        let taken = measure(|| {
            read_folder(&content);
        });
        assert!(
            taken.bytes_max <= allowed(content.len()),
            "{bomb}: {taken:?}"
        );
    }
    let claimed = [&u32::MAX.to_le_bytes()[..], b"short"].concat();
    let huge = [&MAX_MANIFEST_LEN.to_le_bytes()[..], b"short"].concat();
    for content in [claimed, huge] {
        let taken = measure(|| {
            let mut reader = ManifestReader::new(u64::MAX);
            reader.push(&content).ok();
            assert!(reader.finish().is_err());
        });
        assert!(taken.bytes_max <= 64, "{taken:?}");
    }
}

#[test]
fn the_largest_folder_takes_its_bytes_once_and_one_part_more() {
    // As many entries as there may be, with paths that make their manifest just fit into 64 MiB.
    let path = |at: u32| format!("{at:07}/{}", "x".repeat(46));
    let mut writer = ManifestWriter::default();
    for at in 0..MAX_ENTRIES {
        let entry = FolderEntry {
            path: &path(at),
            kind: EntryKind::File {
                len_bytes: u64::from(at),
                executable: true,
            },
            modified: None,
        };
        writer.push(&entry).unwrap();
    }
    let manifest = writer.finish().unwrap();
    let (len, content_len) = (manifest.as_bytes().len(), manifest.content_len());
    assert!(len > 65_000_000, "{len}");
    let mut read = None;
    let taken = measure(|| {
        let mut reader = ManifestReader::new(content_len);
        for part in manifest.as_bytes().chunks(LONG) {
            reader.push(part).unwrap();
        }
        read = Some(reader.finish().unwrap());
    });
    assert_eq!(read.unwrap().entries(), MAX_ENTRIES);
    assert!(taken.bytes_max <= 2 * len as u64, "{taken:?} for {len}");
    // What stays is the bytes, and where every sixty-fourth entry begins.
    assert!(taken.bytes_current <= len as i64 + 1_000_000, "{taken:?}");
}

#[test]
fn a_hostile_list_of_parts_takes_no_more() {
    for (bomb, content) in cbor_bombs(9_000_000) {
        let (opened, len) = opened_list(&content);
        let taken = measure(|| {
            assert!(PartList::read(&opened, &pointer_to_list(1), false).is_err());
        });
        assert!(taken.bytes_max <= allowed(len), "{bomb}: {taken:?}");
    }
}

#[test]
fn the_largest_lists_of_parts_take_no_more() {
    let packed = |at: u32| {
        let bytes = [&at.to_le_bytes()[..], &[0; 12]].concat();
        data_encoding::BASE64URL_NOPAD.encode(&bytes)
    };
    let text = |at: u32| format!("{at:025}");
    let plan = PartPlan::new(u64::from(MAX_PARTS) * 40_000, MAX_PARTS).unwrap();
    let ids: [&dyn Fn(u32) -> String; 2] = [&packed, &text];
    for id in ids {
        let secret = PartsSecret::from_bytes([1; 32]);
        let mut list = PartListBuilder::new(ContentKind::File, plan, secret, false).unwrap();
        for at in 0..MAX_PARTS {
            let id = FileId::parse(&id(at)).unwrap();
            list.push(&Digest::of(&at.to_le_bytes()), &id, None)
                .unwrap();
        }
        let list = list.finish().unwrap();
        let sealed = list.seal(None, None, &mut rng()).unwrap();
        let opened = sealed.blob.open(&sealed.key).ok().unwrap();
        let pointer = pointer_to_list(plan.whole_len());
        let taken = measure(|| {
            assert!(PartList::read(&opened, &pointer, false).is_ok());
        });
        assert!(
            taken.bytes_max <= allowed(opened.content().len()),
            "{taken:?}"
        );
        assert!(taken.bytes_max < 60_000_000, "{taken:?}");

        // The state of a transfer is sealed by this person, but may have been changed on the disk.
        let key = ResumeKey::from_bytes([1; 32]);
        let mut writer = LogWriter::new(&key);
        let mut file = writer.header().to_vec();
        let record = RecipientRecord::encode_list(&list);
        file.extend(writer.seal(&record, &mut rng()).unwrap());
        let taken = measure(|| {
            let record = Log::read(&file, &key).ok().unwrap().next().unwrap();
            assert!(RecipientRecord::decode(&record).is_ok());
        });
        assert!(taken.bytes_max <= allowed(file.len()), "{taken:?}");
    }
}

#[test]
fn a_hostile_state_of_a_transfer_takes_no_more() {
    let key = ResumeKey::from_bytes([1; 32]);
    for (bomb, record) in cbor_bombs(LONG) {
        let taken = measure(|| {
            assert!(SenderRecord::decode(&record).is_err());
            assert!(RecipientRecord::decode(&record).is_err());
        });
        assert!(
            taken.bytes_max <= allowed(record.len()),
            "{bomb}: {taken:?}"
        );
        let file = [LogWriter::new(&key).header(), &record].concat();
        let taken = measure(|| {
            assert_eq!(Log::read(&file, &key).ok().unwrap().count(), 0);
        });
        assert!(taken.bytes_max <= allowed(file.len()), "{bomb}: {taken:?}");
    }
}

fn opened_list(content: &[u8]) -> (Opened, usize) {
    let sealed = seal(ContentKind::PartList, None, None, content, &mut rng()).unwrap();
    let opened = sealed.blob.open(&sealed.key).ok().unwrap();
    (opened, content.len())
}

fn pointer_to_list(content_len: u64) -> Pointer {
    Pointer {
        server: ServerAddress {
            url: ServerUrl::parse("https://files.example").unwrap(),
            key: Identity::from_seed([1; 32]).public(),
        },
        id: FileId::parse("list").unwrap(),
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

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(7)
}
