use std::sync::Arc;

use core::ops::Range;

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use zeroize::Zeroizing;

use super::*;
use crate::protocol::address::{FileId, ServerAddress};
use crate::protocol::capability::OwnedId;
use crate::protocol::digest::Digest;
use crate::protocol::keys::Identity;
use crate::protocol::parts::{
    BuildListError, PartIndex, PartList, PartListBuilder, PartPlan, PartsOwner, PartsSecret, Store,
};
use crate::protocol::pointer::{Pointer, PointerKey};
use crate::protocol::seal::{ContentKind, FileKey};

const PARTS: u32 = 5;
const HOUR: u32 = 500_000;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(7)
}

fn key() -> ResumeKey {
    ResumeKey::from_bytes([1; 32])
}

fn plan() -> PartPlan {
    PartPlan::new(200_001, PARTS).unwrap()
}

fn index(number: u32) -> PartIndex {
    plan().index(number).unwrap()
}

fn server(seed: u8) -> ServerAddress {
    let key = Identity::from_seed([seed; 32]).public();
    format!("https://files.example#p={}", key.to_hex())
        .parse()
        .unwrap()
}

fn stamp() -> FileStamp {
    FileStamp {
        len_bytes: 200_001,
        modified_nanos: -1,
        changed_nanos: Some(i64::MAX),
        inode: Some(77),
    }
}

fn wishes() -> Wishes {
    Wishes {
        keep_secs: 86_400,
        receipts: Some(3),
        name: Some("big file.bin".to_owned()),
        name_in_pointer: true,
        modified: Some(1_790_000_000),
        relay_list: Some("https://lists.example/relays.json#k=00".to_owned()),
    }
}

fn sender_begin(mirrored: bool) -> SenderBegin {
    SenderBegin {
        source: Source::File {
            path: b"/home/\xff/big file.bin".to_vec(),
            stamp: stamp(),
        },
        kind: ContentKind::File,
        plan: plan(),
        secret: PartsSecret::from_bytes([2; 32]),
        owner: PartsOwner::from_bytes([3; 32]),
        server: server(4),
        mirror: mirrored.then(|| server(5)),
        wishes: wishes(),
    }
}

fn sealed(number: u32) -> SealedAt {
    SealedAt {
        digest: Digest::of(&number.to_le_bytes()),
        hour: HOUR + number,
    }
}

fn at(store: Store, number: u32) -> PartAt {
    PartAt {
        index: index(number),
        store,
    }
}

/// Every kind of record, in an order that can happen.
fn sender_records() -> Vec<SenderRecord> {
    let foreign = FileId::parse("foreign-1").ok();
    let mut records = vec![SenderRecord::Begin(Box::new(sender_begin(true)))];
    for number in 0..PARTS {
        records.push(SenderRecord::Sealed {
            index: index(number),
            sealed: sealed(number),
        });
        for (store, id) in [(Store::Server, None), (Store::Mirror, foreign.clone())] {
            let part = at(store, number);
            records.push(SenderRecord::Confirmed { part, id });
        }
    }
    records.push(SenderRecord::Extended {
        part: at(Store::Server, 1),
        hour: HOUR + 100,
    });
    records.push(SenderRecord::ListSealed {
        sealed: sealed(9),
        key: FileKey::from_bytes([6; 32]),
    });
    for (store, id) in [(Store::Server, None), (Store::Mirror, foreign)] {
        records.push(SenderRecord::ListConfirmed { store, id });
    }
    records
}

fn list(plan: PartPlan) -> PartList {
    let secret = PartsSecret::from_bytes([2; 32]);
    let mut list = PartListBuilder::new(ContentKind::Folder, plan, secret, false).unwrap();
    for number in 0..plan.parts() {
        let digest = Digest::of(&number.to_le_bytes());
        let id = FileId::parse(&format!("id-{number}")).unwrap();
        list.push(&digest, &id, None).unwrap();
    }
    list.finish().ok().unwrap()
}

fn recipient_begin() -> RecipientBegin {
    RecipientBegin {
        pointer: Pointer {
            server: server(4),
            id: FileId::parse("list").unwrap(),
            key: PointerKey::Whole(FileKey::from_bytes([7; 32])),
            digest: Digest::of(b"list"),
            content_len: plan().whole_len(),
            name: Some("project".to_owned()),
            kind: ContentKind::PartList,
            expires: None,
            receipts: None,
            relay_list: None,
        },
        target: b"/home/\xff".to_vec(),
        temporary: b"/home/\xff/.cloakroom-1.part".to_vec(),
        tell_sender: true,
    }
}

fn recipient_records() -> Vec<RecipientRecord> {
    let written = |first, last| RecipientRecord::Written {
        first: index(first),
        last: index(last),
    };
    vec![
        RecipientRecord::Begin(Box::new(recipient_begin())),
        RecipientRecord::List(Arc::new(list(plan()))),
        RecipientRecord::Chosen(vec![0..3, 3..4, 9..1_000_000]),
        RecipientRecord::Complete,
        written(0, 0),
        written(2, 4),
    ]
}

/// The bytes of a file, and where each record in it ends; the first entry is the end of the header.
fn file_of(records: impl IntoIterator<Item = EncodedRecord>) -> (Vec<u8>, Vec<usize>) {
    let mut rng = rng();
    let mut writer = LogWriter::new(&key());
    let mut bytes = writer.header().to_vec();
    let mut ends = vec![bytes.len()];
    for record in records {
        bytes.extend(writer.seal(&record, &mut rng).unwrap());
        ends.push(bytes.len());
    }
    (bytes, ends)
}

fn sender_file() -> (Vec<u8>, Vec<usize>) {
    file_of(sender_records().iter().map(SenderRecord::encode))
}

fn recipient_file() -> (Vec<u8>, Vec<usize>) {
    file_of(recipient_records().iter().map(RecipientRecord::encode))
}

fn read(bytes: &[u8]) -> (Vec<Zeroizing<Vec<u8>>>, Recovered) {
    let mut log = Log::read(bytes, &key()).ok().unwrap();
    let records = log.by_ref().collect();
    (records, log.recovered())
}

#[test]
fn every_record_of_a_sender_comes_back() {
    let (bytes, _) = sender_file();
    let (records, recovered) = read(&bytes);
    assert_eq!(
        (recovered.good_len, recovered.end),
        (bytes.len(), LogEnd::Whole)
    );
    for (record, written) in records.iter().zip(sender_records()) {
        let again = SenderRecord::decode(record).unwrap_or_else(|error| panic!("{error}"));
        assert!(again.encode().0 == *record && written.encode().0 == *record);
    }
    let state = SenderState::replay(&mut records.into_iter()).ok().unwrap();
    let begin = state.begin();
    let written = sender_begin(true);
    assert_eq!(begin.source, written.source);
    assert_eq!((begin.kind, begin.plan), (ContentKind::File, plan()));
    assert_eq!(begin.secret.as_bytes(), written.secret.as_bytes());
    assert_eq!(begin.owner.as_bytes(), written.owner.as_bytes());
    assert_eq!(
        (&begin.server, &begin.mirror),
        (&server(4), &Some(server(5)))
    );
    assert_eq!(begin.wishes, wishes());
    for store in [Store::Server, Store::Mirror] {
        assert_eq!(state.unconfirmed(store).count(), 0);
        assert!(state.is_list_confirmed(store));
    }
    let (list, key) = state.list().unwrap();
    assert_eq!((list, key.as_bytes()), (sealed(9), &[6; 32]));
    assert_eq!(
        state.list_id(Store::Mirror),
        FileId::parse("foreign-1").ok()
    );
    assert_eq!(state.earliest_hour(), Some(HOUR));
}

#[test]
fn every_record_of_a_recipient_comes_back() {
    let (bytes, _) = recipient_file();
    let (records, _) = read(&bytes);
    let state = RecipientState::replay(&mut records.into_iter())
        .ok()
        .unwrap();
    let begin = state.begin();
    assert_eq!(
        begin.pointer.to_text().as_str(),
        recipient_begin().pointer.to_text().as_str()
    );
    assert_eq!(begin.target, recipient_begin().target);
    assert_eq!(begin.temporary, recipient_begin().temporary);
    assert!(begin.tell_sender);
    assert!(state.list().unwrap().encode() == list(plan()).encode());
    assert_eq!(state.chosen(), Some(&[0..3, 3..4, 9..1_000_000][..]));
    let written: Vec<_> = plan()
        .indices()
        .map(|index| state.is_written(index))
        .collect();
    assert_eq!(written, [true, false, true, true, true]);
    assert_eq!(state.written(), 4);
}

#[test]
fn a_folder_and_the_least_of_wishes_come_back() {
    let mut stamps = FolderStamp::default();
    stamps.add("a/b", &stamp());
    let begin = SenderBegin {
        source: Source::Folder {
            roots: vec![b"/a".to_vec(), Vec::new(), b"/c".to_vec()],
            stamp: stamps.finish(),
        },
        kind: ContentKind::Folder,
        wishes: Wishes {
            keep_secs: 0,
            receipts: None,
            name: None,
            name_in_pointer: false,
            modified: None,
            relay_list: None,
        },
        ..sender_begin(false)
    };
    let record = SenderRecord::encode_begin(&begin);
    let Ok(SenderRecord::Begin(again)) = SenderRecord::decode(&record.0) else {
        panic!("no beginning");
    };
    assert_eq!(
        (again.source, again.wishes, again.mirror),
        (begin.source, begin.wishes, None)
    );
}

#[test]
fn a_folder_stamp_notices_every_change() {
    let stamp_of = |files: &[(&str, FileStamp)]| {
        let mut stamps = FolderStamp::default();
        for (path, stamp) in files {
            stamps.add(path, stamp);
        }
        stamps.finish()
    };
    let was = stamp();
    let first = stamp_of(&[("a", was), ("b", was)]);
    assert_eq!(stamp_of(&[("a", was), ("b", was)]), first);
    for changed in [
        FileStamp {
            len_bytes: 0,
            ..was
        },
        FileStamp {
            modified_nanos: 0,
            ..was
        },
        FileStamp {
            changed_nanos: None,
            ..was
        },
        FileStamp {
            inode: Some(78),
            ..was
        },
    ] {
        assert_ne!(stamp_of(&[("a", was), ("b", changed)]), first);
    }
    assert_ne!(stamp_of(&[("a", was)]), first);
    assert_ne!(stamp_of(&[("ab", was), ("", was)]), first);
}

#[test]
fn a_file_cut_off_at_any_byte_gives_the_records_before_that() {
    for (bytes, ends) in [sender_file(), recipient_file()] {
        let (all, _) = read(&bytes);
        for cut in ends[0]..=bytes.len() {
            let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
            let (records, recovered) = read(&bytes[..cut]);
            assert!(records[..] == all[..whole], "cut at {cut}");
            assert_eq!(recovered.good_len, ends[whole]);
            let torn = cut != ends[whole];
            assert_eq!(recovered.end == LogEnd::Torn, torn, "cut at {cut}");
        }
        for cut in 0..ends[0] {
            let read = Log::read(&bytes[..cut], &key());
            assert_eq!(read.err(), Some(ReadLogError::CutOff), "cut at {cut}");
        }
    }
}

#[test]
fn a_file_changed_at_any_byte_gives_the_records_before_that() {
    let (bytes, ends) = recipient_file();
    let (all, _) = read(&bytes);
    for at in ends[0]..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        let whole = ends.iter().filter(|end| **end <= at).count() - 1;
        let (records, recovered) = read(&changed);
        assert!(records[..] == all[..whole], "changed at {at}");
        assert_eq!(recovered.good_len, ends[whole]);
        assert_ne!(recovered.end, LogEnd::Whole);
    }
}

#[test]
fn zeros_that_a_crash_left_at_the_end_are_cut_off() {
    let (mut bytes, ends) = sender_file();
    let good_len = *ends.last().unwrap();
    for zeros in [1, 4, 31, 32, 33, 4_096] {
        bytes.truncate(good_len);
        bytes.resize(good_len + zeros, 0);
        let (records, recovered) = read(&bytes);
        assert_eq!(
            (records.len(), recovered.good_len),
            (ends.len() - 1, good_len)
        );
        assert_eq!(recovered.end, LogEnd::Torn, "{zeros} zeros");
    }
}

#[test]
fn what_is_appended_after_a_cut_is_read_with_the_rest() {
    let (bytes, ends) = sender_file();
    let cut = ends[3] + 5;
    let (before, mut recovered) = read(&bytes[..cut]);
    let mut mended = bytes[..recovered.good_len].to_vec();
    let record = SenderRecord::Sealed {
        index: index(1),
        sealed: sealed(1),
    };
    mended.extend(recovered.writer.seal(&record.encode(), &mut rng()).unwrap());
    let (records, recovered) = read(&mended);
    assert_eq!(
        (records.len(), recovered.end),
        (before.len() + 1, LogEnd::Whole)
    );
}

#[test]
fn records_that_change_places_are_not_read() {
    let (bytes, ends) = sender_file();
    let record = |at: usize| &bytes[ends[at]..ends[at + 1]];
    let swapped = [&bytes[..ends[1]], record(2), record(1)].concat();
    let (records, recovered) = read(&swapped);
    assert_eq!((records.len(), recovered.end), (1, LogEnd::Damaged));
    let repeated = [&bytes[..ends[2]], record(1)].concat();
    assert_eq!(read(&repeated).0.len(), 2);
}

#[test]
fn other_files_and_keys_are_told_apart() {
    let (bytes, _) = sender_file();
    let other = ResumeKey::generate(&mut rng());
    let error = |bytes: &[u8], key: &ResumeKey| Log::read(bytes, key).err();
    assert_eq!(error(&bytes, &other), Some(ReadLogError::OtherKey));
    let mut newer = bytes;
    newer[16] = 2;
    assert_eq!(error(&newer, &key()), Some(ReadLogError::Newer));
    assert_eq!(error(&[0; 100], &key()), Some(ReadLogError::Foreign));
    assert_eq!(error(b"other", &key()), Some(ReadLogError::Foreign));
}

#[test]
fn a_record_that_claims_gigabytes_takes_no_memory() {
    let (bytes, ends) = sender_file();
    let mut hostile = bytes[..ends[0]].to_vec();
    hostile.extend_from_slice(&u32::MAX.to_le_bytes());
    hostile.extend_from_slice(&[0; 100]);
    let (records, recovered) = read(&hostile);
    assert_eq!((records.len(), recovered.end), (0, LogEnd::Damaged));
}

#[test]
fn a_record_that_nobody_would_read_is_not_sealed() {
    let source = |len| Source::Folder {
        roots: vec![vec![b'x'; len]],
        stamp: Digest::of(b""),
    };
    for (len, fits) in [(9_998_000, true), (10_000_000, false)] {
        let begin = SenderBegin {
            source: source(len),
            ..sender_begin(false)
        };
        let mut writer = LogWriter::new(&key());
        let sealed = writer.seal(&SenderRecord::encode_begin(&begin), &mut rng());
        assert_eq!(sealed.is_ok(), fits);
        let file = [writer.header(), &sealed.unwrap_or_default()].concat();
        assert_eq!(read(&file).0.len(), usize::from(fits));
    }
}

#[test]
fn a_part_takes_less_than_150_bytes() {
    let (_, ends) = sender_file();
    // `Sealed`, then `Confirmed` at the server.
    let longest = SenderRecord::Sealed {
        index: PartPlan::new(131_072 * 40_000, 131_072)
            .unwrap()
            .index(131_071)
            .unwrap(),
        sealed: SealedAt {
            digest: Digest::of(b"x"),
            hour: u32::MAX,
        },
    };
    let growth = longest.encode().0.len() + 32 + ends[3] - ends[2] + 4;
    assert!(growth <= 150, "{growth}");
}

#[test]
fn a_part_sealed_anew_is_unconfirmed_and_has_another_id() {
    let mut state = SenderState::new(sender_begin(false));
    let part = at(Store::Server, 2);
    assert_eq!((state.sealed(part.index), state.id(part)), (None, None));
    let seal = |number| SenderRecord::Sealed {
        index: part.index,
        sealed: sealed(number),
    };
    state.apply(seal(2)).unwrap();
    let token = state.begin().owner.part_token(Store::Server, part.index);
    let owned = OwnedId::new(HOUR + 2, &token.hash(), &sealed(2).digest);
    assert_eq!(state.id(part), Some(owned.file_id()));
    assert!(!state.is_confirmed(part));
    state
        .apply(SenderRecord::Confirmed { part, id: None })
        .unwrap();
    assert!(state.is_confirmed(part));
    assert_eq!(state.unconfirmed(Store::Server).count(), PARTS as usize - 1);
    state.apply(seal(3)).unwrap();
    assert!(!state.is_confirmed(part));
    assert_ne!(state.id(part), Some(owned.file_id()));
}

#[test]
fn a_part_sealed_anew_takes_the_list_back() {
    let mut state = SenderState::new(sender_begin(true));
    for record in sender_records().into_iter().skip(1) {
        state.apply(record).unwrap();
    }
    assert!(state.list().is_some() && state.is_list_confirmed(Store::Server));
    let part = at(Store::Server, 1);
    let (index, sealed) = (part.index, sealed(7));
    state.apply(SenderRecord::Sealed { index, sealed }).unwrap();
    state
        .apply(SenderRecord::Confirmed { part, id: None })
        .unwrap();
    assert!(state.list().is_none());
    for store in [Store::Server, Store::Mirror] {
        assert!(!state.is_list_confirmed(store));
        assert_eq!(state.list_id(store), None);
    }
}

#[test]
fn what_was_sealed_before_can_still_be_named() {
    let mut state = SenderState::new(sender_begin(true));
    for record in sender_records().into_iter().skip(1) {
        state.apply(record).unwrap();
    }
    assert_eq!(state.superseded().count(), 0);
    let stores = [Store::Server, Store::Mirror];
    let ids: Vec<_> = stores
        .iter()
        .map(|store| state.id(at(*store, 2)))
        .chain(stores.iter().map(|store| state.list_id(*store)))
        .collect();
    let (index, anew) = (index(2), sealed(7));
    let record = SenderRecord::Sealed {
        index,
        sealed: anew,
    };
    state.apply(record).unwrap();
    let named: Vec<_> = state.superseded().map(|blob| Some(blob.id)).collect();
    assert_eq!(named, ids);
    let blobs = state
        .superseded()
        .map(|blob| (blob.index, blob.store, blob.sealed));
    let expected = [(Some(index), sealed(2)), (None, sealed(9))];
    let expected = expected
        .iter()
        .flat_map(|(index, sealed)| stores.map(|store| (*index, store, *sealed)));
    assert!(blobs.eq(expected));
}

#[test]
fn the_same_bytes_may_have_another_hour_at_the_mirror() {
    let mut state = SenderState::new(sender_begin(true));
    let (server, mirror) = (at(Store::Server, 0), at(Store::Mirror, 0));
    let early = sealed(0);
    let late = SealedAt {
        hour: HOUR + 50,
        ..early
    };
    let seal = |sealed| SenderRecord::Sealed {
        index: server.index,
        sealed,
    };
    let confirm = |part| SenderRecord::Confirmed { part, id: None };
    state.apply(seal(early)).unwrap();
    state.apply(confirm(server)).unwrap();
    let id = state.id(server);
    state.apply(seal(late)).unwrap();
    assert!(state.is_confirmed(server) && !state.is_confirmed(mirror));
    assert_eq!(state.id(server), id);
    let token = state.begin().owner.part_token(Store::Mirror, mirror.index);
    let owned = OwnedId::new(late.hour, &token.hash(), &late.digest);
    assert_eq!(state.id(mirror), Some(owned.file_id()));
    state.apply(confirm(mirror)).unwrap();
    assert_eq!(state.earliest_hour(), Some(early.hour));
    let blobs = state.superseded().map(|blob| (blob.store, blob.sealed));
    assert!(blobs.eq([(Store::Mirror, early)]));
}

#[test]
#[expect(
    clippy::single_range_in_vec_init,
    reason = "some choices are one range"
)]
fn choosing_more_fetches_again_what_was_written_of_less() {
    let written_after = |choices: &[&[Range<u32>]]| {
        let mut state = RecipientState::new(recipient_begin());
        let list = RecipientRecord::List(Arc::new(list(plan())));
        state.apply(list).unwrap();
        let (last, before) = choices.split_last().unwrap();
        for choice in before {
            state
                .apply(RecipientRecord::Chosen(choice.to_vec()))
                .unwrap();
        }
        let (first, end) = (index(1), index(2));
        state
            .apply(RecipientRecord::Written { first, last: end })
            .unwrap();
        state.apply(RecipientRecord::Chosen(last.to_vec())).unwrap();
        state.written()
    };
    for (choices, written) in [
        (&[&[0..3][..]][..], 2),
        (&[&[0..3], &[0..3]], 2),
        (&[&[0..3, 5..9], &[1..3, 6..7]], 2),
        (&[&[0..3, 3..9], &[1..7]], 2),
        (&[&[0..3, 5..9], &[]], 2),
        (&[&[0..3], &[0..4]], 0),
        (&[&[0..3, 5..9], &[1..6]], 0),
        (&[&[2..3], &[0..1, 2..3]], 0),
        (&[&[], &[0..1]], 0),
    ] {
        assert_eq!(written_after(choices), written, "{choices:?}");
    }
}

#[test]
fn the_earliest_hour_follows_extensions_of_every_copy() {
    let mut state = SenderState::new(sender_begin(true));
    assert_eq!(state.earliest_hour(), None);
    let extended = |store, hour| SenderRecord::Extended {
        part: at(store, 0),
        hour,
    };
    state
        .apply(SenderRecord::Sealed {
            index: index(0),
            sealed: sealed(0),
        })
        .unwrap();
    for store in [Store::Server, Store::Mirror] {
        let part = at(store, 0);
        assert!(state.apply(extended(store, HOUR)).is_err(), "not confirmed");
        state
            .apply(SenderRecord::Confirmed { part, id: None })
            .unwrap();
    }
    state.apply(extended(Store::Server, HOUR + 9)).unwrap();
    assert_eq!(state.earliest_hour(), Some(HOUR));
    state.apply(extended(Store::Mirror, HOUR + 5)).unwrap();
    assert_eq!(state.earliest_hour(), Some(HOUR + 5));
}

#[test]
fn the_list_is_made_when_all_parts_are_confirmed() {
    for mirrored in [false, true] {
        let mut state = SenderState::new(sender_begin(mirrored));
        let stores = [Store::Server, Store::Mirror];
        let stores = &stores[..if mirrored { 2 } else { 1 }];
        for number in 0..PARTS {
            state
                .apply(SenderRecord::Sealed {
                    index: index(number),
                    sealed: sealed(number),
                })
                .unwrap();
            for store in stores {
                assert!(state.part_list().is_err());
                let part = at(*store, number);
                state
                    .apply(SenderRecord::Confirmed { part, id: None })
                    .unwrap();
            }
        }
        let list = state.part_list().ok().unwrap();
        for index in plan().indices() {
            for store in stores {
                let part = PartAt {
                    index,
                    store: *store,
                };
                assert_eq!(list.id(*store, index), state.id(part));
            }
        }
        assert_eq!(list.is_mirrored(), mirrored);
    }
    let state = SenderState::new(sender_begin(false));
    assert_eq!(state.part_list().err(), Some(BuildListError::Count));
}

#[test]
fn records_that_do_not_fit_are_refused() {
    let beyond = PartPlan::new(1_000_000, 20).unwrap().index(19).unwrap();
    let begin = || SenderRecord::Begin(Box::new(sender_begin(false)));
    let confirmed = |index| SenderRecord::Confirmed {
        part: PartAt {
            index,
            store: Store::Server,
        },
        id: None,
    };
    for bad in [begin(), confirmed(index(0)), confirmed(beyond)] {
        let records = [begin(), bad].map(|record| record.encode().0);
        let replayed = SenderState::replay(&mut records.into_iter());
        assert_eq!(replayed.err(), Some(ReplayError::Malformed));
    }
    let no_beginning = [confirmed(index(0))].map(|record| record.encode().0);
    let replayed = SenderState::replay(&mut no_beginning.into_iter());
    assert_eq!(replayed.err(), Some(ReplayError::NoBeginning));
    let nothing = SenderState::replay(&mut core::iter::empty::<Vec<u8>>());
    assert_eq!(nothing.err(), Some(ReplayError::NoBeginning));

    let begin = || RecipientRecord::encode_begin(&recipient_begin()).0;
    let list_of = |plan| RecipientRecord::encode_list(&list(plan)).0;
    let written = |index| {
        let (first, last) = (index, index);
        RecipientRecord::Written { first, last }.encode().0
    };
    let other = PartPlan::new(200_002, PARTS).unwrap();
    for bad in [
        vec![begin(), begin()],
        vec![begin(), written(index(0))],
        vec![begin(), list_of(other)],
        vec![begin(), list_of(plan()), list_of(plan())],
        vec![begin(), list_of(plan()), written(beyond)],
    ] {
        let replayed = RecipientState::replay(&mut bad.into_iter());
        assert_eq!(replayed.err(), Some(ReplayError::Malformed));
    }
    let sender = vec![SenderRecord::encode_begin(&sender_begin(false)).0];
    assert!(RecipientState::replay(&mut sender.into_iter()).is_err());
}

#[test]
fn records_of_a_newer_version_are_told() {
    for newer in [&[0xa1, 0, 0x18, 99][..], &[0xa2, 0, 1, 0x18, 99, 0]] {
        let record = SenderRecord::decode(newer);
        assert_eq!(record.err(), Some(ReplayError::Newer), "{newer:?}");
        let record = RecipientRecord::decode(newer);
        assert_eq!(record.err(), Some(ReplayError::Newer), "{newer:?}");
    }
}

#[test]
fn records_that_are_cut_off_or_go_on_are_refused() {
    let longer = |record: &[u8]| [record, &[0]].concat();
    for record in sender_records() {
        let record = record.encode().0;
        let refused = SenderRecord::decode(&longer(&record)).err();
        assert_eq!(refused, Some(ReplayError::Malformed));
        for end in 0..record.len() {
            assert!(SenderRecord::decode(&record[..end]).is_err());
        }
    }
    for record in recipient_records() {
        let record = record.encode().0;
        let refused = RecipientRecord::decode(&longer(&record)).err();
        assert_eq!(refused, Some(ReplayError::Malformed));
        for end in 0..record.len() {
            assert!(RecipientRecord::decode(&record[..end]).is_err());
        }
    }
}

#[test]
fn each_record_seals_under_a_nonce_of_its_own() {
    let mut writer = LogWriter::new(&key());
    let record = RecipientRecord::Written {
        first: index(0),
        last: index(0),
    };
    let mut rng = rng();
    let [one, two] = [(); 2].map(|()| writer.seal(&record.encode(), &mut rng).unwrap());
    assert_eq!(one[..4], two[..4]);
    assert_ne!(one[4..16], two[4..16]);
    assert_ne!(one[16..], two[16..]);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 0..24_u8) {
        drop(Log::read(&bytes, &key()).map(Log::recovered));
        let with_header = [LogWriter::new(&key()).header(), &bytes].concat();
        drop(read(&with_header));
        for start in [&[][..], &[0xa2, 0, kind], &[0xa3, 0, kind, 1]] {
            let record = [start, &bytes].concat();
            drop(SenderRecord::decode(&record));
            drop(RecipientRecord::decode(&record));
        }
    }

    #[test]
    fn no_record_is_read_in_two_ways(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let senders = sender_records();
        let mut record = which.get(&senders).encode().0;
        let place = at.index(record.len());
        record[place] = with;
        if let Ok(read) = SenderRecord::decode(&record) {
            prop_assert!(read.encode().0 == record);
        }
        let recipients = recipient_records();
        let mut record = which.get(&recipients).encode().0;
        let place = at.index(record.len());
        record[place] = with;
        if let Ok(read) = RecipientRecord::decode(&record) {
            prop_assert!(read.encode().0 == record);
        }
    }
}
