//! Invitations: the published ones both ways, each refusal by its own error, and how they are found in what people paste.

use cloakroom::protocol::address::ServerAddress;
use cloakroom::protocol::bech32m::URI_START;
use cloakroom::protocol::capability::{AccessWord, JoinWord};
use cloakroom::protocol::invitation::{
    FindInvitationError, InvalidInvitation, Invitation, InvitationParts, InvitedRelay, Purpose,
};
use cloakroom::protocol::keys::{Ed25519Public, Identity};
use cloakroom::protocol::network::{InviteRefused, MemberInvite};
use cloakroom::protocol::path::Allowance;
use cloakroom::protocol::pointer::Pointer;
use cloakroom::protocol::relay_list::{RelayDescriptor, Serves};
use data_encoding::HEXLOWER;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/networks.json")).unwrap()
}

fn now() -> u64 {
    vectors()["now"].as_u64().unwrap()
}

fn text_of(case: &str) -> String {
    let vectors = vectors();
    let good = vectors["good"].as_array().unwrap();
    let vector = good.iter().find(|vector| vector["case"] == case).unwrap();
    vector["text"].as_str().unwrap().to_owned()
}

fn three_relays() -> String {
    text_of("three relays")
}

fn find(text: &str) -> Result<String, FindInvitationError> {
    Invitation::find(text, now()).map(|found| found.to_text().as_str().to_owned())
}

fn bytes(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

fn key(value: &Value) -> Ed25519Public {
    Ed25519Public::from_hex(value.as_str().unwrap()).unwrap()
}

fn relay(value: &Value) -> InvitedRelay {
    let address = bytes(&value[1]);
    InvitedRelay {
        key: key(&value[0]),
        host: match <[u8; 4]>::try_from(&address[..]) {
            Ok(four) => four.into(),
            Err(_) => <[u8; 16]>::try_from(&address[..]).unwrap().into(),
        },
        port: u16::try_from(value[2].as_u64().unwrap()).unwrap(),
        operator: value[3].as_str().unwrap().to_owned(),
        serves: value[4] == 1,
    }
}

fn parts(fields: &Value) -> InvitationParts {
    let text = |key: &str| fields[key].as_str().map(str::to_owned);
    let purpose = match fields["8"].as_str() {
        Some(hex) => Purpose::AddRelay {
            join_word: JoinWord::from_hex(hex).unwrap(),
        },
        None => Purpose::Use {
            access_word: text("6").map(|word| AccessWord::parse(&word).unwrap()),
        },
    };
    InvitationParts {
        server: ServerAddress {
            url: text("0").unwrap().parse().unwrap(),
            key: key(&fields["1"]),
        },
        list_key: key(&fields["2"]),
        relays: fields["3"].as_array().unwrap().iter().map(relay).collect(),
        name: text("4").unwrap(),
        expires: fields["5"].as_u64().unwrap(),
        list_url: text("7"),
        purpose,
    }
}

fn parts_of(case: &str) -> InvitationParts {
    let vectors = vectors();
    let good = vectors["good"].as_array().unwrap();
    let vector = good.iter().find(|vector| vector["case"] == case).unwrap();
    parts(&vector["fields"])
}

#[test]
fn published_invitations_are_made_and_found() {
    let vectors = vectors();
    let good = vectors["good"].as_array().unwrap();
    assert_eq!(good.len(), 7);
    for vector in good {
        let (case, text) = (&vector["case"], vector["text"].as_str().unwrap());
        let made = Invitation::new(parts(&vector["fields"])).unwrap_or_else(|why| {
            panic!("{case}: {why}");
        });
        assert_eq!(made.to_text().as_str(), text, "{case}");
        assert_eq!(text.len() as u64, vector["length"].as_u64().unwrap());
        assert_eq!(find(text).as_deref(), Ok(text), "{case}");
        assert_eq!(made.to_uri().as_str(), format!("{URI_START}{text}"));
        let found = Invitation::find(text, now()).unwrap();
        let (found, fields) = (found.parts(), parts(&vector["fields"]));
        assert_eq!(found.server, fields.server);
        assert_eq!(found.list_key, fields.list_key);
        assert_eq!(found.relays, fields.relays);
        assert_eq!((&found.name, found.expires), (&fields.name, fields.expires));
        assert_eq!(found.list_url, fields.list_url);
        match (&found.purpose, &fields.purpose) {
            (Purpose::Use { access_word: one }, Purpose::Use { access_word: other }) => {
                assert_eq!(one, other);
            }
            (Purpose::AddRelay { join_word: one }, Purpose::AddRelay { join_word: other }) => {
                assert_eq!(one, other);
            }
            _ => panic!("{case}: another purpose"),
        }
    }
}

#[test]
fn published_refusals_have_their_own_errors() {
    use FindInvitationError as Find;
    use InvalidInvitation as Invalid;
    let vectors = vectors();
    let bad = vectors["must_fail"].as_array().unwrap();
    assert_eq!(bad.len(), 22);
    for vector in bad {
        let (case, why) = (&vector["case"], vector["why"].as_str().unwrap());
        let error = find(vector["text"].as_str().unwrap()).unwrap_err();
        let expected = match why {
            "another number of relays" => Find::Invalid(Invalid::RelayCount),
            "access word and join word together" => Find::Invalid(Invalid::BothWords),
            "the list's address is not https, or too long" => Find::Invalid(Invalid::ListUrl),
            "a relay stands there twice" => Find::Invalid(Invalid::RepeatedRelay),
            "no relay serves the server" => Find::Invalid(Invalid::NoneServes),
            "relays that serve do not stand first" => Find::Invalid(Invalid::RelayOrder),
            "a field has another length" => Find::Invalid(Invalid::Field),
            "a field is missing" => Find::Invalid(Invalid::Missing),
            "its server is no base URL" => Find::Invalid(Invalid::Server),
            "the invitation has expired" => Find::Expired,
            "made by a newer version" => Find::Newer,
            "changed" => Find::Changed,
            "cut off" => {
                let missing = three_relays().len() - vector["text"].as_str().unwrap().len();
                assert!(
                    matches!(error, Find::CutOff { missing: least } if (1..=missing).contains(&least))
                );
                continue;
            }
            other => panic!("{other} is not known"),
        };
        assert_eq!(error, expected, "{case}");
    }
}

#[test]
fn a_published_fingerprint_is_that_of_the_network() {
    let expected = bytes(&vectors()["check_words"]["sha256"]);
    let fingerprint = |parts| Invitation::new(parts).unwrap().fingerprint();
    let network = fingerprint(parts_of("three relays"));
    assert_eq!(network.as_bytes()[..], expected);
    let words = ["overlay", "smelting", "equity", "animating", "upturned"];
    assert_eq!(network.words(), words);
    for case in [
        "list also by https",
        "for who runs a relay",
        "for the third",
    ] {
        assert_eq!(fingerprint(parts_of(case)), network, "{case}");
    }
    assert_ne!(fingerprint(parts_of("with a word")), network);
    let other_list = InvitationParts {
        list_key: Identity::from_seed([7; 32]).public(),
        ..parts_of("three relays")
    };
    assert_ne!(fingerprint(other_list), network);
}

#[test]
fn an_invitation_is_found_however_people_send_it() {
    let word = three_relays();
    let (start, end) = word.split_at(200);
    for text in [
        word.to_uppercase(),
        format!("{URI_START}{word}"),
        format!("Join us: {word}."),
        format!("{word}thanksalot"),
        format!("> {start}\n> {end}\n> bye"),
        format!("{start} \n\n {end}"),
        format!("{start}=\r\n{end}"),
        format!("an old one: cloakin15cq8s8tgw and {word}"),
    ] {
        assert_eq!(find(&text), Ok(word.clone()), "{text}");
    }
    for text in ["", "cloakin", "I cloak in 1 day", "cloak1qqqq"] {
        assert_eq!(find(text), Err(FindInvitationError::NotFound), "{text}");
    }
    let long = "x".repeat(65_537);
    assert_eq!(find(&long), Err(FindInvitationError::TooLong));
}

#[test]
fn an_invitation_and_a_pointer_are_found_in_one_text_whichever_stands_first() {
    let pointers: Value = serde_json::from_str(include_str!("../vectors/cloakroom.json")).unwrap();
    let pointer = pointers["pointer"][1]["text"].as_str().unwrap();
    let invitation = three_relays();
    for text in [
        format!("{invitation}\n{pointer}"),
        format!("The file: {pointer}. To fetch it, join first: {URI_START}{invitation}"),
        format!(
            "> {pointer}\n>\n> {}\n> {}",
            &invitation[..70],
            &invitation[70..]
        ),
    ] {
        assert_eq!(find(&text), Ok(invitation.clone()), "{text}");
        let found = Pointer::find(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
        assert_eq!(found.to_text().as_str(), pointer);
    }
}

#[test]
fn a_cut_at_any_place_is_a_cut_and_a_changed_character_is_a_change() {
    let word = three_relays();
    for len in "cloakin1".len()..word.len() {
        match find(&word[..len]).unwrap_err() {
            FindInvitationError::CutOff { missing } => {
                assert!(
                    (1..=word.len() - len).contains(&missing),
                    "{len}: {missing}"
                );
            }
            other => panic!("{len}: {other}"),
        }
    }
    for at in "cloakin1".len()..word.len() {
        let mut changed = word.clone().into_bytes();
        changed[at] = if changed[at] == b'q' { b'p' } else { b'q' };
        let error = find(&String::from_utf8(changed).unwrap()).unwrap_err();
        assert!(
            matches!(
                error,
                FindInvitationError::Changed | FindInvitationError::CutOff { .. }
            ),
            "{at}: {error}"
        );
    }
}

#[test]
fn an_invitation_ends_at_its_second() {
    let word = three_relays();
    assert!(Invitation::find(&word, 1_799_999_999).is_ok());
    let ended = Invitation::find(&word, 1_800_000_000).map(drop);
    assert_eq!(ended, Err(FindInvitationError::Expired));
}

#[test]
fn an_expired_invitation_hides_no_good_one() {
    let expired = three_relays();
    let parts = InvitationParts {
        expires: 1_900_000_000,
        ..parts_of("three relays")
    };
    let good = Invitation::new(parts).unwrap().to_text();
    let good = good.as_str();
    let find_late = |text: &str| {
        Invitation::find(text, 1_800_000_000).map(|found| found.to_text().as_str().to_owned())
    };
    for text in [
        format!("{expired} and {good}"),
        format!("{good} and {expired}"),
        format!("{expired}\n{good}"),
    ] {
        assert_eq!(find_late(&text), Ok(good.to_owned()));
    }
    let cut = &good[..100];
    for text in [
        format!("{expired} and {expired}"),
        format!("{cut}, {expired}"),
        format!("{expired}, {cut}"),
    ] {
        assert_eq!(find_late(&text), Err(FindInvitationError::Expired));
    }
}

#[test]
fn an_intact_word_that_is_no_invitation_was_not_changed_on_its_way() {
    use bech32::primitives::iter::Fe32IterExt as _;
    let hrp = bech32::Hrp::parse("cloakin").unwrap();
    for len in 20..60 {
        let symbols = core::iter::repeat_n(bech32::Fe32::P, len);
        let word: String = symbols
            .with_checksum::<bech32::Bech32m>(&hrp)
            .chars()
            .collect();
        let error = find(&word).unwrap_err();
        assert!(
            matches!(
                error,
                FindInvitationError::Invalid(_) | FindInvitationError::Malformed
            ),
            "{len}: {error}"
        );
    }
}

#[test]
fn where_the_list_can_be_fetched_has_the_list_key() {
    let with = Invitation::new(parts_of("list also by https")).unwrap();
    let source = with.list_source().unwrap();
    assert_eq!(source.url(), "https://lists.example/relays.json");
    assert_eq!(*source.key(), with.parts().list_key);
    let without = Invitation::new(parts_of("three relays")).unwrap();
    assert_eq!(without.list_source(), None);
}

#[test]
fn relays_that_do_not_fit_are_left_out_down_to_three() {
    let relays = |count: u8| {
        let relay = |seed| InvitedRelay {
            key: Identity::from_seed([seed; 32]).public(),
            host: [0x2a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, seed].into(),
            port: 8_790,
            operator: "operator of 24 characters"[..24].to_owned(),
            serves: seed == 1,
        };
        (1..=count).map(relay).collect::<Vec<_>>()
    };
    let with = |url: &str, list_url: Option<String>, count| {
        Invitation::new(InvitationParts {
            server: ServerAddress {
                url: url.parse().unwrap(),
                key: Identity::from_seed([9; 32]).public(),
            },
            list_url,
            relays: relays(count),
            ..parts_of("with a word")
        })
    };
    let short = with("https://files.example", None, 8).unwrap();
    let kept = &short.parts().relays;
    assert_eq!(kept[..], relays(8)[..kept.len()]);
    assert!((3..8).contains(&kept.len()), "{}", kept.len());
    let text = short.to_text();
    assert!(text.as_str().len() <= 1023 && text.as_str().len() > 900);
    assert!(Invitation::find(text.as_str(), now()).is_ok());

    let host = format!("{}.{}", "a".repeat(60), "b".repeat(60));
    let list_url = format!("https://{host}/{}", "l".repeat(60));
    let too_long = with(&format!("https://{host}.{host}"), Some(list_url), 8);
    assert_eq!(too_long.err(), Some(InvalidInvitation::TooLong));
}

#[test]
fn parts_that_do_not_fit_together_are_no_invitation() {
    type Change = fn(&mut InvitationParts);
    let changes: [(Change, InvalidInvitation); 9] = [
        (|it| it.name.clear(), InvalidInvitation::Field),
        (|it| it.name = "n".repeat(41), InvalidInvitation::Field),
        (|it| it.relays[0].port = 0, InvalidInvitation::Field),
        (
            |it| it.relays[0].operator = "o".repeat(25),
            InvalidInvitation::Field,
        ),
        (|it| it.relays.truncate(2), InvalidInvitation::RelayCount),
        (
            |it| it.relays[1].key = it.relays[0].key,
            InvalidInvitation::RepeatedRelay,
        ),
        (|it| it.relays.reverse(), InvalidInvitation::RelayOrder),
        (
            |it| it.list_url = Some("https://lists.example/".to_owned()),
            InvalidInvitation::ListUrl,
        ),
        (
            |it| it.list_url = Some("https://Lists.example/relays.json".to_owned()),
            InvalidInvitation::ListUrl,
        ),
    ];
    for (change, expected) in changes {
        let mut parts = parts_of("three relays");
        change(&mut parts);
        assert_eq!(Invitation::new(parts).err(), Some(expected));
    }
}

#[test]
fn the_relay_of_a_list_is_invited_with_a_short_operator() {
    let descriptor = RelayDescriptor {
        key: Identity::from_seed([1; 32]).public(),
        host: [192, 0, 2, 1].into(),
        port: 8_790,
        operator: "ä".repeat(20),
        serves: Serves::Hosts(vec!["files.example".to_owned()]),
    };
    let invited = InvitedRelay::of(&descriptor, "files.example");
    assert_eq!(invited.operator, "ä".repeat(12));
    assert!(invited.serves);
    assert!(!InvitedRelay::of(&descriptor, "other.example").serves);
}

prop_compose! {
    fn any_relay()(
        seed in any::<[u8; 32]>(),
        host in any::<std::net::IpAddr>(),
        port in 1_u16..,
        operator in "\\PC{0,6}",
        serves in any::<bool>(),
    ) -> InvitedRelay {
        InvitedRelay { key: Identity::from_seed(seed).public(), host, port, operator, serves }
    }
}

proptest! {
    #[test]
    fn every_invitation_comes_back(
        host in "[a-z]{1,20}(\\.[a-z]{2,9})?",
        seeds in any::<[[u8; 32]; 2]>(),
        mut relays in proptest::collection::vec(any_relay(), 3..=8),
        name in "\\PC{1,10}",
        expires in now() + 1..,
        word in proptest::option::of("[!-~]{1,64}"),
        join_word in any::<Option<[u8; 16]>>(),
        before in "[^c]{0,40}",
    ) {
        relays[0].serves = true;
        relays.sort_by_key(|relay| !relay.serves);
        let purpose = match join_word {
            Some(word) => Purpose::AddRelay { join_word: JoinWord::from_bytes(word) },
            None => Purpose::Use { access_word: word.map(|word| AccessWord::parse(&word).unwrap()) },
        };
        let made = Invitation::new(InvitationParts {
            server: format!("http://{host}#p={}", Identity::from_seed(seeds[0]).public().to_hex()).parse().unwrap(),
            list_key: Identity::from_seed(seeds[1]).public(),
            relays,
            name,
            expires,
            list_url: None,
            purpose,
        });
        let made = made.unwrap();
        let text = made.to_text();
        let found = Invitation::find(&format!("{before} {}", text.as_str()), now()).unwrap();
        let again = found.to_text();
        prop_assert_eq!(again.as_str(), text.as_str());
        prop_assert_eq!(&found.parts().relays, &made.parts().relays);
        prop_assert_eq!(found.fingerprint(), made.fingerprint());
    }

    #[test]
    fn no_text_panics(
        text in "\\PC*",
        run in "(cloakin|CLOAKIN1|cloakin1)[qpzry9x8gf2tvdw0s3jn54khce6mua7l \n>1b]{0,1200}",
        cut in any::<proptest::sample::Index>(),
        byte in any::<proptest::sample::Index>(),
        mask in 1_u8..,
        payload in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        drop(find(&text));
        drop(find(&run));
        let hrp = bech32::Hrp::parse("cloakin").unwrap();
        let (_, mut map) = bech32::decode(&three_relays()).unwrap();
        let at = byte.index(map.len());
        map[at] ^= mask;
        map.truncate(cut.index(map.len()) + 1);
        for payload in [map, payload] {
            let word = bech32::encode::<bech32::Bech32m>(hrp, &payload).unwrap();
            drop(find(&word));
        }
    }
}

fn member_invite(count: u8, allow: Allowance, seed: u8) -> Result<Invitation, InviteRefused> {
    let server = parts_of("three relays").server;
    let relays: Vec<_> = (1..=count)
        .map(|seed| RelayDescriptor {
            key: Identity::from_seed([seed; 32]).public(),
            host: [100, seed, 0, 1].into(),
            port: 8_790,
            operator: format!("operator {}", seed % 3),
            serves: if seed > 3 {
                Serves::None
            } else {
                Serves::Hosts(vec![server.url.host().to_owned()])
            },
        })
        .collect();
    let invite = MemberInvite {
        server: &server,
        list_key: Identity::from_seed([99; 32]).public(),
        relays: &relays,
        name: "Bens Leute, die sich seit vielen Jahren kennen",
        access_word: AccessWord::parse("sesame").ok(),
        expires: now() + 1,
        allow,
    };
    invite.make(now(), &mut ChaCha20Rng::from_seed([seed; 32]))
}

#[test]
fn a_member_invites_with_relays_among_which_is_a_path() {
    let mut firsts = Vec::new();
    for seed in 0..20 {
        let made = member_invite(20, Allowance::NONE, seed).unwrap();
        let found = Invitation::find(made.to_text().as_str(), now()).unwrap();
        let parts = found.parts();
        assert_eq!(parts.name, "Bens Leute, die sich seit vielen Jahren");
        assert!((3..=8).contains(&parts.relays.len()));
        assert!(parts.relays[0].serves);
        let mut operators: Vec<_> = parts.relays.iter().map(|relay| &relay.operator).collect();
        operators.sort();
        operators.dedup();
        assert_eq!(operators.len(), 3, "each path has three operators");
        firsts.push(parts.relays.last().unwrap().key);
    }
    firsts.sort();
    firsts.dedup();
    assert!(firsts.len() > 5, "the relays are drawn anew each time");
}

#[test]
fn a_member_without_a_path_invites_nobody() {
    let few = member_invite(2, Allowance::NONE, 0).err();
    assert_eq!(few, Some(InviteRefused::TooFew { relays: 2 }));
    let alike = |allow| {
        let server = parts_of("three relays").server;
        let relays: Vec<_> = (1..=3)
            .map(|seed| RelayDescriptor {
                key: Identity::from_seed([seed; 32]).public(),
                host: [100, seed, 0, 1].into(),
                port: 8_790,
                operator: "Ann".to_owned(),
                serves: Serves::Any,
            })
            .collect();
        let invite = MemberInvite {
            server: &server,
            list_key: Identity::from_seed([99; 32]).public(),
            relays: &relays,
            name: "",
            access_word: None,
            expires: now() + 1,
            allow,
        };
        invite.make(now(), &mut ChaCha20Rng::from_seed([0; 32]))
    };
    assert_eq!(alike(Allowance::NONE).err(), Some(InviteRefused::NoPath));
    let relaxed = alike(Allowance::ALL).unwrap();
    assert_eq!(relaxed.parts().name, "files.example.org");
}
