use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::*;
use crate::protocol::address::FileId;
use crate::protocol::digest::Digest;
use crate::protocol::pointer::PointerMismatch;
use crate::protocol::seal::{ContentKind, FileKey, SealedBlob, UnverifiedBlob, seal_with};

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(7)
}

fn secret() -> PartsSecret {
    PartsSecret::from_bytes([8; 32])
}

fn packed_id(number: u32) -> FileId {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    FileId::parse(&data_encoding::BASE64URL_NOPAD.encode(&bytes)).unwrap()
}

fn text_id(number: u32) -> FileId {
    FileId::parse(&format!("file-{number}")).unwrap()
}

fn digest(number: u32) -> Digest {
    Digest::of(&number.to_le_bytes())
}

/// A list of parts that were never sealed.
fn list_of(plan: PartPlan, id: fn(u32) -> FileId, mirror: Option<fn(u32) -> FileId>) -> PartList {
    let mirrored = mirror.is_some();
    let mut list = PartListBuilder::new(ContentKind::File, plan, secret(), mirrored).unwrap();
    for number in 0..plan.parts() {
        let mirror_id = mirror.map(|id| id(number));
        list.push(&digest(number), &id(number), mirror_id.as_ref())
            .unwrap();
    }
    list.finish().ok().unwrap()
}

/// A list in which `blob` is the part at `place`, whatever it was made for.
fn list_saying(plan: PartPlan, place: u32, blob: &[u8]) -> PartList {
    let mut list = PartListBuilder::new(ContentKind::File, plan, secret(), false).unwrap();
    for number in 0..plan.parts() {
        let digest = if number == place {
            Digest::of(blob)
        } else {
            digest(number)
        };
        list.push(&digest, &packed_id(number), None).unwrap();
    }
    list.finish().ok().unwrap()
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

/// Parts of three bytes more than half of what class 0 carries, as small as parts can be.
fn small_plan(parts: u32) -> PartPlan {
    PartPlan::new(u64::from(parts) * 32_227, parts).unwrap()
}

/// A whole and its parts, sealed, with their list.
fn sealed_whole(parts: u32) -> (Vec<u8>, Vec<SealedBlob>, PartList) {
    let plan = small_plan(parts);
    let whole: Vec<u8> = (0..plan.whole_len())
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect();
    let mut rng = rng();
    let mut list = PartListBuilder::new(ContentKind::File, plan, secret(), false).unwrap();
    let mut blobs = Vec::new();
    for index in plan.indices() {
        let range = plan.range(index);
        let content = &whole[to_usize(range.start)..to_usize(range.end)];
        let part = seal_part(&secret(), &plan, index, content, &mut rng).unwrap();
        list.push(&part.digest, &packed_id(index.get()), None)
            .unwrap();
        blobs.push(part.blob);
    }
    (whole, blobs, list.finish().ok().unwrap())
}

fn open(list: &PartList, number: u32, blob: &[u8]) -> Result<OpenedPart, OpenPartError> {
    let index = list.plan().index(number).unwrap();
    list.open_part(index, UnverifiedBlob::new(blob.to_vec()))
}

#[test]
fn a_whole_comes_back_part_by_part() {
    let (whole, blobs, list) = sealed_whole(5);
    let read = PartList::decode(&list.encode(), whole.len() as u64, false)
        .ok()
        .unwrap();
    let mut opened = Vec::new();
    for (number, blob) in (0..).zip(&blobs) {
        assert_eq!(blob.class(), list.plan().class());
        let part = open(&read, number, blob.as_bytes()).ok().unwrap();
        opened.extend_from_slice(part.content());
    }
    assert!(opened == whole);
}

#[test]
fn a_part_opens_at_its_place_only() {
    let (_, blobs, list) = sealed_whole(8);
    for (at, blob) in (0..8).zip(&blobs) {
        for place in (0..8).filter(|place| *place != at) {
            // Its sender moved the digest along.
            let moved = list_saying(*list.plan(), place, blob.as_bytes());
            let opened = open(&moved, place, blob.as_bytes());
            assert_eq!(opened.err(), Some(OpenPartError::WrongPlace));
            let opened = open(&list, place, blob.as_bytes());
            assert_eq!(opened.err(), Some(OpenPartError::DigestMismatch));
        }
    }
}

#[test]
fn sealing_a_part_again_gives_another_blob_under_another_key() {
    let plan = small_plan(2);
    let index = plan.index(0).unwrap();
    let mut rng = rng();
    let [one, two] = [(); 2].map(|()| {
        let part = seal_part(&secret(), &plan, index, &[5; 32_227], &mut rng).unwrap();
        part.blob.into_bytes()
    });
    assert_ne!(one[..32], two[..32], "the commitments, and so the keys");
    assert_ne!(one[32..44], two[32..44], "the nonces");
    assert!(
        one[44..]
            .iter()
            .zip(&two[44..])
            .filter(|(a, b)| a == b)
            .count()
            < 1_000
    );
}

#[test]
fn content_of_another_length_than_planned_is_not_sealed() {
    let plan = PartPlan::new(100_001, 2).unwrap();
    let other = PartPlan::new(1_000_000, 20).unwrap();
    for (index, len) in [
        (0, 50_000),
        (0, 50_002),
        (1, 50_001),
        (1, 0),
        (19, 0),
        (19, 50_000),
    ] {
        let index = other.index(index).unwrap();
        let sealed = seal_part(&secret(), &plan, index, &vec![0; len], &mut rng());
        let expected = plan.content_len(index);
        assert_eq!(sealed.err(), Some(WrongPartLen { expected, got: len }));
    }
}

#[test]
fn the_senders_fault_is_told_from_the_servers() {
    let (_, blobs, list) = sealed_whole(3);
    let blob = blobs[0].as_bytes();
    let mut changed = blob.to_vec();
    changed[1_000] ^= 1;
    for (bytes, error, senders) in [
        (&changed[..], OpenPartError::DigestMismatch, false),
        (&blob[1..], OpenPartError::WrongSize, false),
        (&[][..], OpenPartError::WrongSize, false),
    ] {
        let refused = open(&list, 0, bytes).err().unwrap();
        assert_eq!((refused, refused.is_senders()), (error, senders));
    }
    // With the digest of what was changed, the sender says that this is the part.
    let list = list_saying(*list.plan(), 0, &changed);
    let refused = open(&list, 0, &changed).err().unwrap();
    assert_eq!(
        (refused, refused.is_senders()),
        (OpenPartError::Corrupt, true)
    );
}

#[test]
fn what_is_no_part_is_refused_although_it_opens() {
    let plan = small_plan(2);
    let class = plan.class();
    let index = plan.index(0).unwrap();
    let nonce = [3; 12];
    for (kind, len, name, class, error) in [
        (
            ContentKind::File,
            32_227,
            None,
            class,
            OpenPartError::NotAPart,
        ),
        (
            ContentKind::PartList,
            32_227,
            Some("x"),
            class,
            OpenPartError::NotAPart,
        ),
        (
            ContentKind::Part,
            32_226,
            None,
            class,
            OpenPartError::AnotherLength,
        ),
        (
            ContentKind::Part,
            32_228,
            None,
            class,
            OpenPartError::AnotherLength,
        ),
        (
            ContentKind::Part,
            32_227,
            None,
            crate::protocol::size_class::SizeClass::ALL[1],
            OpenPartError::AnotherClass,
        ),
    ] {
        let key = secret().part_key(index, &nonce);
        let content = vec![1; len];
        let sealed = seal_with(key, nonce, class, kind, name, None, &content)
            .ok()
            .unwrap();
        let list = list_saying(plan, 0, sealed.blob.as_bytes());
        let refused = open(&list, 0, sealed.blob.as_bytes()).err();
        assert_eq!(refused, Some(error), "{kind:?}");
    }
}

#[test]
fn an_index_of_a_longer_plan_opens_nothing() {
    let (_, blobs, list) = sealed_whole(2);
    let beyond = small_plan(9).index(8).unwrap();
    let fetched = UnverifiedBlob::new(blobs[0].as_bytes().to_vec());
    let refused = list.open_part(beyond, fetched).err();
    assert_eq!(refused, Some(OpenPartError::WrongPlace));
    assert_eq!(list.id(Store::Server, beyond), None);
    assert_eq!(list.id(Store::Mirror, list.plan().index(0).unwrap()), None);
}

#[test]
fn each_server_has_owner_tokens_of_its_own() {
    let owner = PartsOwner::from_bytes([4; 32]);
    let plan = small_plan(3);
    let mut tokens: Vec<_> = [Store::Server, Store::Mirror]
        .into_iter()
        .flat_map(|store| {
            let parts = plan.indices().map(move |index| (store, Some(index)));
            parts.chain([(store, None)])
        })
        .map(|(store, index)| match index {
            Some(index) => owner.part_token(store, index).to_hex().to_string(),
            None => owner.list_token(store).to_hex().to_string(),
        })
        .collect();
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 8);
}

#[test]
fn a_builder_refuses_what_a_recipient_would() {
    let plan = small_plan(2);
    let builder = |mirrored| PartListBuilder::new(ContentKind::Folder, plan, secret(), mirrored);
    for kind in [ContentKind::PartList, ContentKind::Part] {
        let made = PartListBuilder::new(kind, plan, secret(), false);
        assert_eq!(made.err(), Some(BuildListError::Kind));
    }
    let one = packed_id(1);
    let mut few = builder(false).unwrap();
    few.push(&digest(0), &one, None).unwrap();
    assert_eq!(few.finish().err(), Some(BuildListError::Count));
    for (digests, ids) in [([0, 0], [1, 2]), ([0, 1], [1, 1])] {
        let mut twice = builder(false).unwrap();
        for (number, id) in digests.into_iter().zip(ids) {
            twice.push(&digest(number), &packed_id(id), None).unwrap();
        }
        let more = twice.push(&digest(9), &packed_id(9), None);
        assert_eq!(more, Err(BuildListError::Count));
        assert_eq!(twice.finish().err(), Some(BuildListError::Twice));
    }
    let superfluous = builder(false).unwrap().push(&digest(0), &one, Some(&one));
    assert_eq!(superfluous, Err(BuildListError::Mirror));
    let missing = builder(true).unwrap().push(&digest(0), &one, None);
    assert_eq!(missing, Err(BuildListError::Mirror));
}

#[test]
fn the_largest_list_of_each_form_of_ids_fits_into_a_blob() {
    fn long_id(number: u32) -> FileId {
        FileId::parse(&format!("{number:044}")).unwrap()
    }
    let text = IdForm::Text { max_len: 44 };
    let id_of: [fn(u32) -> FileId; 2] = [packed_id, long_id];
    for (form, id) in [IdForm::Packed, text].into_iter().zip(id_of) {
        for mirror in [None, Some((form, id))] {
            let longest = Layout::for_sending(u64::MAX, form, mirror.map(|mirror| mirror.0));
            let longest = longest.unwrap_err().max_len_bytes;
            let Ok(Layout::Parts(plan)) = Layout::for_sending(longest, form, None) else {
                panic!("{longest}");
            };
            let list = list_of(plan, id, mirror.map(|mirror| mirror.1));
            let sealed = list.seal(Some("a name"), None, &mut rng()).ok().unwrap();
            let opened = sealed.blob.open(&sealed.key).ok().unwrap();
            let read = PartList::decode(opened.content(), longest, mirror.is_some());
            let read = read.ok().unwrap();
            let last = plan.index(plan.parts() - 1).unwrap();
            assert_eq!(read.id(Store::Server, last), Some(id(last.get())));
            assert_eq!(
                read.id(Store::Mirror, last),
                mirror.map(|(_, id)| id(last.get()))
            );
        }
    }
}

#[test]
fn text_ids_are_text_only_where_they_must_be() {
    fn mixed(number: u32) -> FileId {
        if number == 2 {
            text_id(number)
        } else {
            packed_id(number)
        }
    }
    let plan = small_plan(4);
    let len = plan.whole_len();
    let list = list_of(plan, mixed, None);
    let read = PartList::decode(&list.encode(), len, false).ok().unwrap();
    for index in plan.indices() {
        assert_eq!(read.id(Store::Server, index), Some(mixed(index.get())));
    }
}

#[test]
fn a_list_of_another_length_is_refused() {
    let list = list_of(small_plan(2), packed_id, None);
    let len = list.plan().whole_len();
    let other = PartList::decode(&list.encode(), len + 1, false).err();
    assert_eq!(
        other,
        Some(ReadListError::Mismatch(PointerMismatch::Length))
    );
}

#[test]
fn every_cut_of_a_list_is_refused() {
    let list = list_of(small_plan(3), packed_id, Some(text_id));
    let (bytes, len) = (list.encode(), list.plan().whole_len());
    for end in 0..bytes.len() {
        assert!(PartList::decode(&bytes[..end], len, true).is_err(), "{end}");
    }
    let mut longer = bytes.to_vec();
    longer.push(0);
    assert!(PartList::decode(&longer, len, true).is_err());
    assert!(PartList::decode(&bytes, len, true).is_ok());
}

#[test]
fn no_changed_bit_of_a_list_is_read_in_two_ways() {
    let list = list_of(small_plan(3), packed_id, Some(text_id));
    let (bytes, len) = (list.encode(), list.plan().whole_len());
    for at in 0..8 * bytes.len() {
        let mut changed = bytes.to_vec();
        changed[at / 8] ^= 1 << (at % 8);
        // What is still a list (another secret, id or digest) is the one form of it.
        if let Ok(read) = PartList::decode(&changed, len, true) {
            assert!(**read.encode() == *changed, "bit {at}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn lists_come_back(parts in 2..200_u32, forms in 0..6_u8, folder in any::<bool>(), seed in any::<[u8; 32]>()) {
        let plan = small_plan(parts);
        let ids: [fn(u32) -> FileId; 2] = [packed_id, text_id];
        let id = ids[usize::from(forms % 2)];
        let mirror = [None, Some(ids[0]), Some(ids[1])][usize::from(forms / 2)];
        let kind = if folder { ContentKind::Folder } else { ContentKind::File };
        let mut list = PartListBuilder::new(kind, plan, PartsSecret::from_bytes(seed), mirror.is_some()).unwrap();
        for number in 0..parts {
            let mirror_id = mirror.map(|id| id(number));
            list.push(&digest(number), &id(number), mirror_id.as_ref()).unwrap();
        }
        let encoded = list.finish().ok().unwrap().encode();
        let read = PartList::decode(&encoded, plan.whole_len(), mirror.is_some()).ok().unwrap();
        prop_assert!(read.encode() == encoded);
        prop_assert_eq!((read.kind(), *read.plan(), read.secret().as_bytes()), (kind, plan, &seed));
        for index in plan.indices() {
            prop_assert_eq!(read.digest(index), Some(digest(index.get())));
            prop_assert_eq!(read.id(Store::Server, index), Some(id(index.get())));
            prop_assert_eq!(read.id(Store::Mirror, index), mirror.map(|id| id(index.get())));
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>(), with in any::<u8>(), len in any::<u64>()) {
        drop(PartList::decode(&bytes, len, false));
        let list = list_of(small_plan(3), packed_id, None);
        let mut changed = list.encode().to_vec();
        let at = at.index(changed.len());
        changed[at] = with;
        drop(PartList::decode(&changed, list.plan().whole_len(), false));
    }

    #[test]
    fn a_key_that_is_not_derived_opens_no_part(key in any::<[u8; 32]>()) {
        let (_, blobs, _) = sealed_whole(2);
        for blob in blobs {
            let digest = Digest::of(blob.as_bytes());
            let blob = UnverifiedBlob::new(blob.into_bytes()).verify(&digest).ok().unwrap();
            prop_assert!(blob.open(&FileKey::from_bytes(key)).is_err());
        }
    }
}
