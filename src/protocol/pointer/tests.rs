#![expect(
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test that panics has found something"
)]

use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::protocol::seal::seal;

fn vectors() -> Json {
    serde_json::from_str(include_str!("../../../tests/vectors/cloakroom.json")).unwrap()
}

fn unhex<const N: usize>(value: &Json) -> [u8; N] {
    data_encoding::HEXLOWER
        .decode(value.as_str().unwrap().as_bytes())
        .unwrap()
        .try_into()
        .unwrap()
}

fn find_error(text: &str) -> FindPointerError {
    match Pointer::find(text) {
        Ok(_) => panic!("a pointer was found"),
        Err(error) => error,
    }
}

fn find_text(text: &str) -> String {
    match Pointer::find(text) {
        Ok(pointer) => pointer.to_text().as_str().to_owned(),
        Err(error) => panic!("{error}: {text}"),
    }
}

fn good() -> String {
    vectors()["pointer"][1]["text"].as_str().unwrap().to_owned()
}

fn pointer() -> Pointer {
    Pointer::find(&good()).ok().unwrap()
}

#[test]
fn published_pointers() {
    for vector in vectors()["pointer"].as_array().unwrap() {
        let fields = &vector["fields"];
        let made = Pointer {
            server: ServerAddress {
                url: ServerUrl::parse(fields["0"].as_str().unwrap()).unwrap(),
                key: Ed25519Public::from_bytes(unhex(&fields["1"])).unwrap(),
            },
            id: FileId::parse(fields["2"].as_str().unwrap()).unwrap(),
            key: PointerKey::Whole(FileKey::from_bytes(unhex(&fields["3"]))),
            digest: Digest::from_bytes(unhex(&fields["4"])),
            content_len: fields["5"].as_u64().unwrap(),
            name: fields["6"].as_str().map(str::to_owned),
            kind: ContentKind::File,
            expires: fields["8"].as_u64(),
            receipts: None,
            relay_list: None,
        };
        let text = vector["text"].as_str().unwrap();
        assert_eq!(made.to_text().as_str(), text);
        assert_eq!(text.len() as u64, vector["length"].as_u64().unwrap());
        assert_eq!(find_text(text), text);
        assert_eq!(made.to_uri().as_str(), format!("cloakroom:{text}"));
    }
}

#[test]
fn published_damage_is_named() {
    let vectors = vectors();
    let damaged = |name: &str| find_error(vectors["pointer_must_fail"][name].as_str().unwrap());
    assert_eq!(damaged("old_bech32_checksum"), FindPointerError::Changed);
    assert_eq!(damaged("changed"), FindPointerError::Changed);
    let cut = vectors["pointer_must_fail"]["cut_off"]
        .as_str()
        .unwrap()
        .len();
    match damaged("cut_off") {
        FindPointerError::CutOff { missing } => {
            assert!(missing >= 1 && cut + missing <= good().len(), "{missing}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn published_prose() {
    let vector = &vectors()["pointer_in_prose"];
    assert_eq!(
        find_text(vector["text"].as_str().unwrap()),
        vector["pointer"].as_str().unwrap()
    );
}

#[test]
fn published_short_names() {
    for pair in vectors()["short_name"].as_array().unwrap() {
        assert_eq!(
            short_name(pair[0].as_str().unwrap()),
            pair[1].as_str().unwrap()
        );
    }
}

#[test]
fn found_however_people_send_it() {
    let word = good();
    let (start, end) = word.split_at(100);
    let spaced: String = word
        .as_bytes()
        .chunks(4)
        .map(|chunk| format!("{} ", str::from_utf8(chunk).unwrap()))
        .collect();
    let invisible: String = word.chars().flat_map(|c| [c, '\u{200b}']).collect();
    for text in [
        word.clone(),
        word.to_uppercase(),
        format!("cloakroom:{word}"),
        format!("CLOAKROOM:{}", word.to_uppercase()),
        format!("Here: {word}."),
        format!("\"{word}\","),
        format!("<{word}>"),
        format!("see({word})thanks"),
        format!("{word}thanksalot"),
        format!("prefix{word}"),
        format!("{start}\r\n{end} and more"),
        format!("> {start}\n> > {end}\n> bye"),
        format!("{start} \n\n  {end}"),
        format!("{start}\u{2028}{end}"),
        format!("ok clo\nak1{}", &word[6..]),
        format!("{start}\u{ad}{end}"),
        format!("{start}\u{34f}\u{fe0f}\u{e0020}{end}"),
        format!("here:=20{start}=\n{end}\nBye=\n"),
        format!("{start}=\r\n{end}"),
        format!("> {start}=\n> {end}\n> Bye"),
        format!("it is {spaced}, good luck"),
        invisible,
        format!("cloak1 is how it begins: {word}"),
        format!("an old one: cloak14qq8sxtgw and {word}"),
        format!("{} {word}", word.replace("qq8s", "qqps")),
    ] {
        assert_eq!(find_text(&text), word, "{text}");
    }
}

#[test]
fn nothing_is_found_where_nothing_is() {
    for text in [
        "",
        "hello",
        "cloak",
        "CLOAK-1",
        "I left my cloak 1 day ago",
        "https://cloak.example",
        "\u{212a}",
    ] {
        assert_eq!(find_error(text), FindPointerError::NotFound, "{text}");
    }
    let mut long = "x".repeat(65_536);
    assert_eq!(find_error(&long), FindPointerError::NotFound);
    long.push('x');
    assert_eq!(find_error(&long), FindPointerError::TooLong);
}

#[test]
fn at_most_sixteen_candidates_are_tried() {
    let word = good();
    assert_eq!(find_text(&format!("{}{word}", "cloak1b ".repeat(15))), word);
    assert!(Pointer::find(&format!("{}{word}", "cloak1b ".repeat(16))).is_err());
}

#[test]
fn a_cut_at_any_place_is_a_cut() {
    let word = good();
    for len in 6..word.len() {
        let left = word.len() - len;
        for text in [
            word[..len].to_owned(),
            format!("{}\nthanks a lot!", &word[..len]),
        ] {
            match find_error(&text) {
                FindPointerError::CutOff { missing } => {
                    assert!((1..=left).contains(&missing), "{len}: {missing}");
                }
                other => panic!("{len}: {other}"),
            }
        }
    }
}

#[test]
fn a_changed_character_is_never_a_pointer() {
    let word = good();
    for at in 6..word.len() {
        for other in ['q', 'p', 'b', '1', '.'] {
            let mut chars: Vec<char> = word.chars().collect();
            if chars[at] != other {
                chars[at] = other;
                let text: String = chars.iter().collect();
                let error = find_error(&text);
                assert!(
                    matches!(
                        error,
                        FindPointerError::Changed | FindPointerError::CutOff { .. }
                    ),
                    "{at}: {error}"
                );
            }
        }
    }
}

#[test]
fn damage_in_a_broken_word_is_told_from_the_whole_of_it() {
    let word = good().replace("8gukr49eh2", "8gukr49eh3");
    let text = format!(
        "> {}\n> {}\n> {}",
        &word[..76],
        &word[76..152],
        &word[152..]
    );
    assert_eq!(find_error(&text), FindPointerError::Changed);
    let text = format!("> {}\n> {}\nthanks", &word[..76], &word[76..152]);
    assert!(
        matches!(find_error(&text), FindPointerError::CutOff { missing } if missing <= word.len() - 152)
    );
}

/// A word around the good pointer's map with other entries.
fn with_entries(change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut payload = pointer().encode(true).to_vec();
    change(&mut payload);
    bech32m::word(Pointer::PREFIX, &payload)
        .unwrap()
        .as_str()
        .to_owned()
}

#[test]
fn a_newer_version_is_named() {
    let newer = with_entries(|map| {
        map[0] += 1;
        map.extend_from_slice(&[12, 0x82, 1, 0xf6]);
    });
    assert_eq!(find_error(&newer), FindPointerError::Newer);
    let newer_kind = with_entries(|map| {
        let at = map.len() - 6;
        map[0] += 1;
        map.splice(at..at, [7, 4]);
    });
    assert_eq!(find_error(&newer_kind), FindPointerError::Newer);
}

#[test]
fn other_encodings_and_values_are_refused() {
    let kind = |number: u8| {
        with_entries(|map| {
            let at = map.len() - 6;
            map[0] += 1;
            map.splice(at..at, [7, number]);
        })
    };
    assert_eq!(find_text(&kind(1)), kind(1));
    let long_int = with_entries(|map| {
        let at = map.len() - 6;
        map.splice(at.., [8, 0x1b, 0, 0, 0, 0, 1, 2, 3, 4]);
    });
    let weak = with_entries(|map| {
        let at = map
            .windows(2)
            .position(|pair| pair == [0x58, 0x20])
            .unwrap();
        map[at + 2..at + 34].fill(0);
    });
    let slash = with_entries(|map| {
        map[2] += 1;
        map.insert(28, b'/');
    });
    let claims = with_entries(|map| {
        let at = map.windows(2).position(|pair| pair == [5, 0x18]).unwrap();
        map.splice(at + 1..at + 3, [0x1a, 0x7f, 0, 0, 0]);
    });
    for word in [kind(0), kind(3), long_int, weak, slash, claims] {
        let error = find_error(&word);
        assert!(matches!(error, FindPointerError::Invalid(_)), "{error}");
    }
    let not_ours = bech32m::word(Pointer::PREFIX, b"another use of the same letters").unwrap();
    assert!(matches!(
        find_error(not_ours.as_str()),
        FindPointerError::Invalid(_)
    ));
}

#[test]
fn the_largest_pointer_fits_and_a_long_relay_list_is_left_out() {
    let host = [
        "a".repeat(63),
        "b".repeat(63),
        "c".repeat(63),
        "d".repeat(61),
    ]
    .join(".");
    let mut largest = pointer();
    largest.server.url = ServerUrl::parse(&format!("https://{host}:65535")).unwrap();
    largest.id = FileId::parse(&"x".repeat(64)).unwrap();
    largest.content_len = u64::MAX;
    largest.kind = ContentKind::PartList;
    largest.name = Some("n".repeat(64));
    largest.expires = Some(u64::MAX);
    largest.receipts = Some(u64::MAX);
    largest.relay_list = Some("r".repeat(600));
    let text = largest.to_text();
    assert!(text.as_str().len() <= 1023);
    let found = Pointer::find(text.as_str()).ok().unwrap();
    assert!(found.relay_list.is_none() && found.name == largest.name);

    let mut listed = pointer();
    listed.relay_list = Some("https://relays.example.org/relays.json#k=00".to_owned());
    let found = Pointer::find(listed.to_text().as_str()).ok().unwrap();
    assert_eq!(found.relay_list, listed.relay_list);
}

#[test]
fn words_parameters_have_bounds_and_hide_the_name() {
    for (kib, passes, lanes, fits) in [
        (65_536, 3, 4, true),
        (19_456, 1, 1, true),
        (262_144, 4, 4, true),
        (262_144, 5, 4, false),
        (19_455, 1, 1, false),
        (262_145, 1, 1, false),
        (65_536, 0, 1, false),
        (65_536, 11, 1, false),
        (65_536, 3, 0, false),
        (65_536, 3, 5, false),
        (u32::MAX, u32::MAX, 1, false),
    ] {
        assert_eq!(
            WordsParams::new([0; 16], kib, passes, lanes).is_some(),
            fits,
            "{kib} {passes} {lanes}"
        );
    }
    let mut with_words = pointer();
    let words = WordsParams::new([7; 16], 65_536, 3, 4).unwrap();
    with_words.key = PointerKey::Half(HalfKey::from_bytes([5; 32]), words.clone());
    let found = Pointer::find(with_words.to_text().as_str()).ok().unwrap();
    assert!(matches!(&found.key, PointerKey::Half(half, found)
        if *half.as_bytes() == [5; 32] && *found == words));
    assert!(found.key.needs_words() && found.key.whole().is_none() && found.name.is_none());
}

#[test]
fn a_pointer_must_describe_what_was_opened() {
    let mut rng = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::seed_from_u64(1);
    let name = format!("{}.pdf", "long ".repeat(20));
    let sealed = seal(ContentKind::File, Some(&name), None, b"four", &mut rng)
        .ok()
        .unwrap();
    let opened = sealed.blob.open(&sealed.key).ok().unwrap();
    let mut pointer = pointer();
    pointer.content_len = 4;
    pointer.name = Some(short_name(&name));
    assert_eq!(pointer.check(opened.header()), Ok(()));
    pointer.name = None;
    assert_eq!(pointer.check(opened.header()), Ok(()));
    pointer.name = Some("invoice.pdf".to_owned());
    assert_eq!(pointer.check(opened.header()), Err(PointerMismatch::Name));
    pointer.content_len = 5;
    assert_eq!(pointer.check(opened.header()), Err(PointerMismatch::Length));
    pointer.kind = ContentKind::Folder;
    assert_eq!(pointer.check(opened.header()), Err(PointerMismatch::Kind));
}

#[test]
fn a_pointer_to_a_list_names_the_length_of_the_whole_and_not_of_the_list() {
    let mut rng = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::seed_from_u64(1);
    let sealed = seal(ContentKind::PartList, None, None, b"four", &mut rng)
        .ok()
        .unwrap();
    let opened = sealed.blob.open(&sealed.key).ok().unwrap();
    let mut pointer = pointer();
    pointer.name = None;
    pointer.content_len = 5;
    assert_eq!(pointer.check(opened.header()), Err(PointerMismatch::Kind));
    pointer.kind = ContentKind::PartList;
    assert_eq!(pointer.check(opened.header()), Ok(()));
}

prop_compose! {
    fn any_pointer()(
        host in "[a-z]{1,20}(\\.[a-z]{2,9})?",
        port in proptest::option::of(1024_u16..),
        seed in any::<[u8; 32]>(),
        id in "[A-Za-z0-9_-]{1,64}",
        key in any::<[u8; 32]>(),
        digest in any::<[u8; 32]>(),
        content_len in 0..=MAX_CONTENT_LEN,
        name in proptest::option::of("\\PC{1,90}"),
        kind in 0..3_u64,
        whole_len in any::<u64>(),
        expires in any::<Option<u64>>(),
        receipts in any::<Option<u64>>(),
    ) -> Pointer {
        let kind = ContentKind::from_number(kind).unwrap();
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Pointer {
            server: ServerAddress {
                url: ServerUrl::normalise(&format!("http://{host}{port}")).unwrap(),
                key: crate::protocol::keys::Identity::from_seed(seed).public(),
            },
            id: FileId::parse(&id).unwrap(),
            key: PointerKey::Whole(FileKey::from_bytes(key)),
            digest: Digest::from_bytes(digest),
            content_len: if kind == ContentKind::PartList {
                whole_len
            } else {
                content_len
            },
            name: name.map(|name| short_name(&name)),
            kind,
            expires,
            receipts,
            relay_list: None,
        }
    }
}

impl core::fmt::Debug for Pointer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.to_text().as_str()) // proptest shows what failed; only in tests
    }
}

proptest! {
    #[test]
    fn every_pointer_comes_back(pointer in any_pointer()) {
        let text = pointer.to_text();
        let found = Pointer::find(text.as_str()).ok().unwrap();
        let again = found.to_text();
        prop_assert_eq!(again.as_str(), text.as_str());
        prop_assert!(found.server == pointer.server && found.id == pointer.id && found.digest == pointer.digest);
        prop_assert!(!found.key.needs_words());
        prop_assert!(found.key.as_bytes() == pointer.key.as_bytes() && found.name == pointer.name);
        prop_assert!(found.kind == pointer.kind && found.expires == pointer.expires);
        prop_assert!(found.content_len == pointer.content_len && found.receipts == pointer.receipts);
    }

    #[test]
    fn wrapped_and_quoted_pointers_are_found(
        pointer in any_pointer(),
        width in 8_usize..120,
        quote in "\n(> ?){0,3}",
        before in "[^c]{0,40}",
        after in "([^a-zA-Z0-9]\\PC{0,40})?",
    ) {
        let text = pointer.to_text();
        let lines: Vec<&str> =
            text.as_str().as_bytes().chunks(width).map(|line| str::from_utf8(line).unwrap()).collect();
        let pasted = format!("{before}\n{}{after}", lines.join(&quote));
        prop_assert_eq!(find_text(&pasted), text.as_str());
    }

    #[test]
    fn no_text_panics(
        text in "\\PC*",
        run in "(cloak|CLOAK1|cloak1)[qpzry9x8gf2tvdw0s3jn54khce6mua7l \n>1b]{0,1200}",
        cut in any::<proptest::sample::Index>(),
        byte in any::<proptest::sample::Index>(),
        mask in 1_u8..,
        payload in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        drop(Pointer::find(&text));
        drop(Pointer::find(&run));
        let mut map = pointer().encode(true).to_vec();
        let at = byte.index(map.len());
        map[at] ^= mask;
        map.truncate(cut.index(map.len()) + 1);
        for payload in [map, payload] {
            drop(Pointer::decode(&payload));
            drop(Pointer::find(bech32m::word(Pointer::PREFIX, &payload).unwrap().as_str()));
        }
    }

    #[test]
    fn short_names_are_short_and_stay(name in "\\PC{0,80}(\\.[a-z]{0,20})?") {
        let short = short_name(&name);
        prop_assert!(short.len() <= 64);
        prop_assert_eq!(&short_name(&short), &short);
        prop_assert!(name.len() > 64 || short == name);
    }
}

#[test]
fn a_text_that_begins_as_a_pointer_does_may_still_be_none() {
    for text in [
        "cloak1",
        " \nCLOAK1 and more",
        "cloakroom:",
        "Cloakroom:cloak1x",
    ] {
        assert!(begins(text) && may_be_in(text), "{text}");
    }
    for text in ["see cloak1x", "(cloakroom:cloak1x)", "ä cloak1"] {
        assert!(!begins(text) && may_be_in(text), "{text}");
    }
    for text in [
        "",
        "cloak",
        "cloakroom",
        "a cloak 1",
        "cloakin1xyz",
        "cloakroom:cloakin1xyz",
        "CLOAKROOM:CLOAKIN1XYZ",
    ] {
        assert!(!begins(text) && !may_be_in(text), "{text}");
    }
}
