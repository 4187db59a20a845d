//! The published and the independent vectors, whole round trips, and hostile bytes.

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::Value;

use super::hop_cipher::{AnswerKey, HopKey};
use super::v4::{Headers, RequestHead, Response};
use super::*;
use crate::protocol::address::ServerAddress;
use crate::protocol::keys::{Ed25519Public, Identity, X25519Public, X25519Secret};

fn published() -> Value {
    serde_json::from_str(include_str!("../../../tests/vectors/onion.json")).unwrap()
}

fn independent() -> Value {
    serde_json::from_str(include_str!("../../../tests/vectors/cloakroom.json")).unwrap()
}

fn hex(value: &Value) -> Vec<u8> {
    data_encoding::HEXLOWER
        .decode(value.as_str().unwrap().as_bytes())
        .unwrap()
}

fn array(value: &Value) -> [u8; 32] {
    hex(value).try_into().unwrap()
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(7)
}

fn open(key: &HopKey, ciphertext: &Value) -> Option<Vec<u8>> {
    let mut bytes = hex(ciphertext);
    let whole = 0..bytes.len();
    let range = key.open_in_place(&mut bytes, whole).ok()?;
    Some(bytes[range].to_vec())
}

#[test]
fn the_published_hop_vectors_open_and_their_damaged_forms_do_not() {
    let vector = &published()["hop_encryption"];
    let client = X25519Secret::from_bytes(array(&vector["client_secret"]));
    let server = X25519Secret::from_bytes(array(&vector["server_secret"]));
    assert_eq!(client.public().as_bytes(), &array(&vector["client_public"]));
    assert_eq!(server.public().as_bytes(), &array(&vector["server_public"]));
    let shared = client.agree(&server.public()).unwrap();
    assert_eq!(shared.as_bytes(), &array(&vector["shared_secret"]));
    for (cipher, name) in [
        (HopCipher::AesGcm, "aes_gcm"),
        (HopCipher::XChaCha20, "xchacha20"),
    ] {
        let shared = server.agree(&client.public()).unwrap();
        let key = HopKey::derive(cipher, &shared, &client.public(), &server.public());
        assert_eq!(key.bytes(), &array(&vector[format!("{name}_key")]));
        assert_eq!(
            open(&key, &vector[name]).unwrap(),
            vector["plaintext"].as_str().unwrap().as_bytes()
        );
        for damaged in vector[format!("{name}_must_fail")].as_array().unwrap() {
            assert!(open(&key, damaged).is_none());
        }
    }
}

#[test]
fn the_published_envelopes_open_and_their_replies_have_the_published_lengths() {
    let vector = &published()["envelope"];
    let secret = X25519Secret::from_bytes(array(&vector["server_secret"]));
    for name in ["aes_gcm", "xchacha20"] {
        let body = hex(&vector[name]);
        let parts = envelope::split(&body, 0..body.len()).unwrap();
        let layer = envelope::LayerJson::parse(&body[parts.json]).unwrap();
        assert_eq!(layer.ephemeral.as_bytes(), &array(&vector["client_public"]));
        let shared = secret.agree(&layer.ephemeral).unwrap();
        let key = HopKey::derive(layer.cipher, &shared, &layer.ephemeral, &secret.public());
        let mut opened = body.clone();
        let range = key.open_in_place(&mut opened, parts.ciphertext).unwrap();
        assert_eq!(&opened[range], b"Hello world");

        let reply = vector["reply_plaintext"].as_str().unwrap().as_bytes();
        let mut sealed = vec![0; layer.cipher.nonce_len()];
        sealed.extend_from_slice(reply);
        sealed.resize(reply.len() + layer.cipher.overhead(), 0);
        key.seal_in_place(&mut sealed, &mut rng());
        assert_eq!(
            sealed.len() as u64,
            vector["reply_len"][name].as_u64().unwrap()
        );
    }
}

#[test]
fn an_independently_made_request_is_peeled_to_its_end() {
    let vector = &independent()["onion_request"];
    let seeds = vector["relay_ed25519_secret_seeds"].as_array().unwrap();
    let identities: Vec<_> = seeds
        .iter()
        .map(|seed| Identity::from_seed(array(seed)))
        .collect();
    let mut body = hex(&vector["guard_body"]);
    assert_eq!(body.len(), REQUEST_OVERHEAD);
    for (at, identity) in identities.iter().enumerate() {
        let peeled = peel(&identity.x25519(), body).unwrap();
        assert!(peeled.reply.is_sealed());
        assert_eq!(usize::from(peeled.hop_no), 2 + at);
        assert_eq!(peeled.reply.key_bytes(), &array(&vector["layer_keys"][at]));
        body = match peeled.next {
            RelayInstruction::Forward { to, body } => {
                assert_eq!(to, identities[at + 1].public());
                body
            }
            RelayInstruction::Proxy(proxy) => {
                assert_eq!(at, 2);
                assert_eq!(
                    (proxy.host.as_str(), proxy.port, proxy.protocol.as_str()),
                    ("files.example.org", 443, "https")
                );
                assert_eq!(
                    (proxy.target.as_str(), proxy.method.as_str()),
                    (SERVER_ENDPOINT, "POST")
                );
                proxy.body
            }
            RelayInstruction::Destination | RelayInstruction::InvalidJson => {
                panic!("the vector forwards and proxies")
            }
        };
    }
    let server = Identity::from_seed(array(&vector["server_ed25519_seed"]));
    let opened = open_request(&server.x25519(), body).unwrap();
    let (head, body) = opened.request.unwrap();
    assert_eq!(
        (head.method.as_str(), head.endpoint.as_str()),
        ("GET", "/file/B5lQi2xLvfMLkxTipcUhKw")
    );
    assert!(body.is_empty());
    assert_eq!(opened.reply.key_bytes(), &array(&vector["server_key"]));

    let framed = v4::frame_request(&head, 0, hex(&vector["v4_request"]).len()).unwrap();
    assert_eq!(
        [framed.before, framed.after.to_vec()].concat(),
        hex(&vector["v4_request"])
    );
}

#[test]
fn an_independently_made_answer_opens_and_a_failure_names_its_relay() {
    let vectors = independent();
    let request = &vectors["onion_request"];
    let answer = &vectors["onion_answer"];
    let keys = || {
        let seeds = request["relay_ed25519_secret_seeds"].as_array().unwrap();
        let hops = seeds
            .iter()
            .zip(request["layer_keys"].as_array().unwrap())
            .map(|(seed, key)| Hop {
                relay: Identity::from_seed(array(seed)).public(),
                key: unsent(array(key)),
            });
        ReplyKeys::new(hops.collect(), unsent(array(&request["server_key"])), true)
    };
    /// The key of a layer whose request had a nonce that no answer has.
    fn unsent(key: [u8; 32]) -> AnswerKey {
        AnswerKey::with_sent(HopKey::from_bytes(HopCipher::XChaCha20, key), &[0; 24])
    }
    let opened = keys().open(hex(&answer["from_guard"])).unwrap();
    assert_eq!(opened.response.code, 404);
    assert_eq!(
        opened.response.header("content-type"),
        Some("application/json")
    );
    assert_eq!(*opened.response.body, br#"{"status_code":404}"#);
    assert_eq!(opened.link_lengths, [1_699, 1_658, 1_617, 1_576]);

    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let response = Response {
        code: 404,
        headers,
        body: br#"{"status_code":404}"#.to_vec().into(),
    };
    assert_eq!(
        v4::encode_answer(response, false, 0, 0).unwrap(),
        hex(&answer["v4_answer"])
    );

    let failure = &vectors["onion_failure_at_middle"];
    let guard_key = HopKey::from_bytes(HopCipher::XChaCha20, array(&request["layer_keys"][0]));
    let from_guard = ReplyLayer::with_key(guard_key, Some(1_659))
        .answer(hex(&failure["from_middle"]), &mut rng());
    let third = Identity::from_seed(array(&request["relay_ed25519_secret_seeds"][2])).public();
    let text = format!("Next node not found: {}", third.to_hex());
    assert_eq!(
        keys().open(from_guard).err(),
        Some(ReplyError::Relay {
            hop: 1,
            status: 502,
            text: text.clone()
        })
    );

    let middle_key = HopKey::from_bytes(HopCipher::XChaCha20, array(&request["layer_keys"][1]));
    let middle = ReplyLayer::with_key(middle_key, Some(1_618));
    let (status, mut made) = middle.failure(502, &text, &mut rng());
    assert_eq!(
        (status, made.len()),
        (200, hex(&failure["from_middle"]).len())
    );
    let whole = 0..made.len();
    let key = HopKey::from_bytes(HopCipher::XChaCha20, array(&request["layer_keys"][1]));
    let range = key.open_in_place(&mut made, whole).unwrap();
    assert_eq!(made[range], hex(&failure["plain"]));
}

/// A network of three relays and a server, all in this process.
struct TestNetwork {
    relays: Vec<Identity>,
    server: Identity,
    address: ServerAddress,
}

impl TestNetwork {
    fn new(host: &str) -> Self {
        let server = Identity::from_seed([9; 32]);
        let address = format!("http://{host}:8787#p={}", server.public().to_hex())
            .parse()
            .unwrap();
        Self {
            relays: (1..=3)
                .map(|seed| Identity::from_seed([seed; 32]))
                .collect(),
            server,
            address,
        }
    }

    fn keys(&self) -> Vec<Ed25519Public> {
        self.relays.iter().map(Identity::public).collect()
    }

    fn build(
        &self,
        relays: &[Ed25519Public],
        cipher: HopCipher,
        headers: Headers,
        body: &[u8],
        rng: &mut ChaCha20Rng,
    ) -> Built {
        let route = OnionRoute {
            relays,
            server: &self.address,
            cipher,
            sealed_return: cipher == HopCipher::XChaCha20,
        };
        let head = RequestHead {
            method: "POST".to_owned(),
            endpoint: "/file".to_owned(),
            headers,
        };
        build(&route, &head, body, rng).unwrap()
    }
}

#[test]
fn a_request_and_its_answer_cross_three_relays_and_no_two_links_carry_the_same_bytes() {
    for cipher in [HopCipher::AesGcm, HopCipher::XChaCha20] {
        let network = TestNetwork::new("files.example.org");
        let rng = &mut rng();
        let blob = vec![0x5a; 65_536];
        let built = network.build(
            &network.keys(),
            cipher,
            vec![("X-FS-TTL".to_owned(), "3600".to_owned())],
            &blob,
            rng,
        );
        assert_eq!(built.body.len(), 65_536 + REQUEST_OVERHEAD);
        let mut lengths = vec![built.body.len()];
        let mut body = built.body;
        let mut back = Vec::new();
        for relay in &network.relays {
            let peeled = peel(&relay.x25519(), body).unwrap();
            back.push(peeled.reply);
            body = match peeled.next {
                RelayInstruction::Forward { body, .. } => body,
                RelayInstruction::Proxy(proxy) => proxy.body,
                RelayInstruction::Destination | RelayInstruction::InvalidJson => {
                    panic!("a built request forwards and proxies")
                }
            };
            lengths.push(body.len());
        }
        assert_eq!(lengths, built.link_lengths);
        let opened = open_request(&network.server.x25519(), body).unwrap();
        let (head, received) = opened.request.unwrap();
        assert_eq!(head.headers, [("X-FS-TTL".to_owned(), "3600".to_owned())]);
        assert_eq!(received, blob);

        let response = Response {
            code: 200,
            headers: vec![],
            body: blob.clone().into(),
        };
        let mut answer = opened.reply.seal(response, true, rng).unwrap();
        assert_eq!(
            answer.len(),
            65_536 + v4::BLOB_ANSWER_OVERHEAD + cipher.overhead()
        );
        let mut lengths = vec![answer.len()];
        for layer in back.iter().rev() {
            let next = layer.answer(answer.clone(), rng);
            assert_eq!(
                next == answer,
                cipher == HopCipher::AesGcm,
                "sealed relays change the bytes, others do not"
            );
            answer = next;
            lengths.insert(0, answer.len());
        }
        let opened = built.reply.open(answer).unwrap();
        assert_eq!(opened.link_lengths, lengths);
        assert!(opened.response.code == 200 && *opened.response.body == blob);
    }
}

#[test]
fn neither_host_nor_headers_change_a_length() {
    let rng = &mut rng();
    let long_host = [
        ["a"; 62].concat(),
        ["b"; 62].concat(),
        ["c"; 62].concat(),
        ["d"; 62].concat(),
    ]
    .join(".")
        + ".x";
    assert_eq!(long_host.len(), 253);
    let many: Headers = vec![("X-Filler".to_owned(), "f".repeat(600))];
    for host in ["a.io", &long_host] {
        let network = TestNetwork::new(host);
        for headers in [vec![], many.clone()] {
            for relays in [network.keys(), vec![]] {
                let built = network.build(
                    &relays,
                    HopCipher::XChaCha20,
                    headers.clone(),
                    &[1; 65_536],
                    rng,
                );
                assert_eq!(built.body.len(), 65_536 + REQUEST_OVERHEAD);
                let built = network.build(&relays, HopCipher::XChaCha20, headers.clone(), &[], rng);
                assert_eq!(built.body.len(), REQUEST_OVERHEAD);
            }
        }
    }
}

#[test]
fn headers_that_do_not_fit_are_an_error() {
    let network = TestNetwork::new("files.example.org");
    let relays = network.keys();
    let route = OnionRoute {
        relays: &relays,
        server: &network.address,
        cipher: HopCipher::XChaCha20,
        sealed_return: true,
    };
    let headers = vec![("X-Filler".to_owned(), "f".repeat(3_000))];
    let head = RequestHead {
        method: "GET".to_owned(),
        endpoint: "/info".to_owned(),
        headers,
    };
    assert_eq!(
        build(&route, &head, &[], &mut rng()).err(),
        Some(BuildError::TooLong)
    );
}

#[test]
fn every_answer_without_a_blob_has_one_length_whatever_its_body() {
    for len in (0..1_400).chain([1_450, 1_501, 1_502, 20_000, 60_000]) {
        let encoded = v4::encode_answer(
            Response {
                code: 200,
                headers: vec![],
                body: vec![b'1'; len].into(),
            },
            false,
            0,
            0,
        )
        .unwrap();
        let expected = if len <= 1_501 {
            v4::ANSWER_LEN
        } else {
            65_536 + v4::BLOB_ANSWER_OVERHEAD
        };
        assert_eq!(encoded.len(), expected, "for a body of {len}");
        let whole = 0..encoded.len();
        let decoded = v4::decode_answer(encoded, whole).unwrap();
        assert!(decoded.body.starts_with(&vec![b'1'; len]) && decoded.body.len() <= len + 1);
    }
}

#[test]
fn a_changed_byte_of_an_answer_is_noticed_at_the_layer_that_was_changed() {
    let network = TestNetwork::new("files.example.org");
    let rng = &mut rng();
    let built = network.build(&network.keys(), HopCipher::XChaCha20, vec![], &[], rng);
    let mut body = built.body;
    let mut back = Vec::new();
    for relay in &network.relays {
        let peeled = peel(&relay.x25519(), body).unwrap();
        back.push(peeled.reply);
        body = match peeled.next {
            RelayInstruction::Forward { body, .. } => body,
            RelayInstruction::Proxy(proxy) => proxy.body,
            RelayInstruction::Destination | RelayInstruction::InvalidJson => {
                panic!("a built request forwards and proxies")
            }
        };
    }
    let server_reply = open_request(&network.server.x25519(), body).unwrap().reply;
    for changed in 0..=3 {
        let mut answer = server_reply
            .seal(
                Response {
                    code: 200,
                    headers: vec![],
                    body: Vec::new().into(),
                },
                false,
                rng,
            )
            .unwrap();
        for (at, layer) in back.iter().enumerate().rev() {
            if changed == at + 1 {
                answer[40] ^= 1;
            }
            answer = layer.answer(answer, rng);
        }
        if changed == 0 {
            answer[40] ^= 1;
        }
        assert_eq!(
            built.reply.open(answer).err(),
            Some(ReplyError::Unauthentic { layer: changed })
        );
    }
}

#[test]
fn what_a_relay_that_seals_nothing_refuses_opens_with_its_key_only() {
    let network = TestNetwork::new("files.example.org");
    let (rng, keys) = (&mut rng(), network.keys());
    for cipher in [HopCipher::AesGcm, HopCipher::XChaCha20] {
        let route = OnionRoute {
            relays: &keys,
            server: &network.address,
            cipher,
            sealed_return: false,
        };
        let head = RequestHead {
            method: "GET".to_owned(),
            endpoint: "/info".to_owned(),
            headers: vec![],
        };
        let built = build(&route, &head, &[], rng).unwrap();
        let (mut body, mut back) = (built.body, Vec::new());
        for relay in &network.relays {
            let peeled = peel(&relay.x25519(), body).unwrap();
            back.push(peeled.reply);
            body = match peeled.next {
                RelayInstruction::Forward { body, .. } => body,
                RelayInstruction::Proxy(proxy) => proxy.body,
                RelayInstruction::Destination | RelayInstruction::InvalidJson => {
                    panic!("it forwards and proxies")
                }
            };
        }
        for (hop, layer) in back.iter().enumerate() {
            for text in ["Invalid json", "Invalid url"] {
                let (status, refusal) = layer.invalid(text, rng);
                assert_eq!(status, 200);
                let error = ReplyError::Relay {
                    hop,
                    status: 400,
                    text: text.to_owned(),
                };
                assert_eq!(built.reply.open(refusal.clone()).err(), Some(error));
                // One more or one less than it was, or another relay's.
                let nobodys = Some(ReplyError::Unauthentic { layer: 3 });
                let mut changed = refusal.clone();
                changed[20] = if changed[20] == b'A' { b'B' } else { b'A' };
                assert_eq!(built.reply.open(changed).err(), nobodys);
                let cut = refusal[..refusal.len() - 1].to_vec();
                assert_eq!(built.reply.open(cut).err(), nobodys);
                let long = [refusal, vec![b'A'; 4_096]].concat();
                assert_eq!(built.reply.open(long).err(), nobodys);
            }
        }
    }
}

#[test]
fn the_keys_of_the_inner_json_decide_in_their_order() {
    let identity = Identity::from_seed([1; 32]);
    let ask = |json: &str| {
        let rng = &mut rng();
        let secret = X25519Secret::generate(rng);
        let key = HopKey::derive(
            HopCipher::AesGcm,
            &secret.agree(&identity.public().to_x25519()).unwrap(),
            &secret.public(),
            &identity.public().to_x25519(),
        );
        let inner = [&10_u32.to_le_bytes()[..], b"ciphertext", json.as_bytes()].concat();
        let mut region = [&[0; 12][..], &inner, &[0; 16][..]].concat();
        key.seal_in_place(&mut region, rng);
        let outer = envelope::LayerJson::new(&secret.public(), HopCipher::AesGcm, None).to_bytes();
        let body = [
            &u32::try_from(region.len()).unwrap().to_le_bytes()[..],
            &region,
            &outer,
        ]
        .concat();
        peel(&identity.x25519(), body).unwrap().next
    };
    for destination in [
        r#"{"headers":"","host":"h","target":"/t"}"#,
        r#"{"host":"h","target":"/t","headers":[[{"a":"b"}]]}"#,
        r#"{"destination":"d","headers":null}"#,
    ] {
        assert!(matches!(ask(destination), RelayInstruction::Destination));
    }
    let next = ask(r#"{"host":"h","target":"/t","destination":"d"}"#);
    assert!(
        matches!(next, RelayInstruction::Proxy(ServerTarget { port: 443, ref protocol, .. }) if protocol == "https")
    );
    // What a relay does not know is passed over, whatever it is; of a repeated member the last one counts.
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let next = ask(&format!(
        r#"{{"x":{deep},"host":1,"port":"x","t\u0061rget":"/a","host":"h","port":80,"target":"/\u0074"}}"#
    ));
    assert!(
        matches!(next, RelayInstruction::Proxy(ServerTarget { port: 80, ref host, ref target, .. }) if host == "h" && target == "/t")
    );
    let key = identity.public();
    let forward = |key: &str, ephemeral: &str| {
        ask(&format!(
            r#"{{"destination":"{key}","ephemeral_key":"{ephemeral}"}}"#
        ))
    };
    let (lower, ephemeral) = (key.to_hex(), key.to_x25519().to_hex());
    for (named, with) in [
        (lower.clone(), ephemeral.clone()),
        (lower.to_uppercase(), ephemeral.to_uppercase()),
    ] {
        let next = forward(&named, &with);
        assert!(
            matches!(next, RelayInstruction::Forward { to, ref body } if to == key && body.ends_with(format!(r#"{{"ephemeral_key":"{ephemeral}","hop_no":1}}"#).as_bytes()))
        );
    }
    let other_encoding = format!("{}{}", "ff".repeat(31), "7f");
    assert!(matches!(
        forward(&lower, &other_encoding),
        RelayInstruction::InvalidJson
    ));
    let long = format!(
        r#"{{"host":"h","target":"/t","x":"{}"}}"#,
        "x".repeat(envelope::MAX_LAYER_JSON_LEN)
    );
    for invalid in [
        long.as_str(),
        "{}",
        "[]",
        "no json",
        r#"{"host":"h","target":"/t"} {}"#,
        r#"{"host":"h","target":"/t","port":1.5}"#,
        r#"{"destination":"d","ephemeral_key":7}"#,
        r#"{"host":"h"}"#,
        r#"{"destination":"zz","ephemeral_key":"zz"}"#,
        r#"{"host":"h","target":"/t","sealed":1000000}"#,
    ] {
        assert!(
            matches!(ask(invalid), RelayInstruction::InvalidJson),
            "{invalid}"
        );
    }
}

#[test]
fn a_path_longer_than_fifteen_is_refused() {
    let network = TestNetwork::new("files.example.org");
    let mut body = network
        .build(
            &network.keys(),
            HopCipher::XChaCha20,
            vec![],
            &[],
            &mut rng(),
        )
        .body;
    let json_at = body.iter().rposition(|byte| *byte == b'{').unwrap();
    let json = String::from_utf8(body.split_off(json_at)).unwrap();
    let at = json.find("\"hop_no\":").unwrap() + "\"hop_no\":".len();
    body.extend_from_slice(format!("{}16}}", &json[..at]).as_bytes());
    assert_eq!(
        peel(&network.relays[0].x25519(), body).err(),
        Some(peel::PeelError::PathTooLong)
    );
}

use super::peel::ServerTarget;

fn replay_tag(number: u32) -> ReplayTag {
    let mut key = [0; 32];
    key[..4].copy_from_slice(&number.to_le_bytes());
    ReplayTag::of(&X25519Public::from_bytes(key).unwrap())
}

fn from(last: u8) -> std::net::IpAddr {
    [192, 0, 2, last].into()
}

#[test]
fn a_request_seen_before_is_known_for_an_hour() {
    let mut memory = ReplayMemory::new();
    let mut insert = |number, at| memory.insert(replay_tag(number), from(1), at);
    assert_eq!(insert(1, 1_000), ReplayCheck::Fresh);
    assert_eq!(insert(1, 1_001), ReplayCheck::Seen);
    assert_eq!(insert(2, 1_002), ReplayCheck::Fresh);
    assert_eq!(insert(1, 4_599), ReplayCheck::Seen);
    assert_eq!(insert(1, 4_600), ReplayCheck::Fresh);
}

#[test]
fn a_flood_from_one_address_pushes_nothing_out_and_keeps_nobody_else_out() {
    let mut memory = ReplayMemory::new();
    assert_eq!(
        memory.insert(replay_tag(0), from(1), 50),
        ReplayCheck::Fresh
    );
    let fresh = |memory: &mut ReplayMemory, range: std::ops::Range<u32>, last, at| {
        range
            .filter(|&number| {
                memory.insert(replay_tag(number), from(last), at) == ReplayCheck::Fresh
            })
            .count()
    };
    let flood = fresh(&mut memory, 1..300_001, 2, 60);
    assert_eq!(flood, 149_999, "three quarters are for all");
    let of_others: usize = (10..20)
        .map(|last| {
            let first = 1_000_000 + 1_000 * u32::from(last);
            fresh(&mut memory, first..first + 1_000, last, 70)
        })
        .sum();
    assert_eq!(of_others, 10_000);
    assert_eq!(
        memory.insert(replay_tag(300_001), from(2), 3_649),
        ReplayCheck::NoRoom
    );
    assert_eq!(
        memory.insert(replay_tag(0), from(3), 3_649),
        ReplayCheck::Seen
    );
    assert_eq!(
        memory.insert(replay_tag(1), from(1), 3_649),
        ReplayCheck::Seen,
        "whoever sends it again"
    );
    // An hour later the flood is forgotten, and its sender has room again.
    assert_eq!(
        memory.insert(replay_tag(300_001), from(2), 3_660),
        ReplayCheck::Fresh
    );
}

#[test]
fn a_flood_from_many_addresses_never_passes_the_bound() {
    let mut memory = ReplayMemory::new();
    let mut fresh: u32 = 0;
    for number in 0..400_000 {
        let last = u8::try_from(number % 40).unwrap();
        let remembered = memory.insert(replay_tag(number), from(last), 50);
        fresh += u32::from(remembered == ReplayCheck::Fresh);
    }
    assert!((190_000..=200_000).contains(&fresh), "{fresh}");
    assert_eq!(
        memory.insert(replay_tag(500_000), from(99), 50),
        ReplayCheck::Fresh,
        "there is still room for somebody else"
    );
}

/// The guard's answer to a request whose outer JSON is replaced by `json`.
fn with_outer(json: &str) -> Result<Peeled, peel::PeelError> {
    let body = [&28_u32.to_le_bytes()[..], &[0; 28], json.as_bytes()].concat();
    peel(&Identity::from_seed([1; 32]).x25519(), body)
}

#[test]
fn every_outer_json_is_answered_as_it_always_was() {
    use envelope::EnvelopeError;
    use peel::PeelError;

    let key = Identity::from_seed([2; 32]).public().to_x25519().to_hex();
    let wrong = |error| Some(PeelError::Envelope(error));
    for (json, error) in [
        ("", wrong(EnvelopeError::Json)),
        ("[]", wrong(EnvelopeError::Json)),
        ("{}", wrong(EnvelopeError::Json)),
        (r#"{"ephemeral_key":1}"#, wrong(EnvelopeError::Json)),
        (r#"{"ephemeral_key":"x"}"#, wrong(EnvelopeError::Key)),
        (
            r#"{"ephemeral_key":"KEY","hop_no":"1"}"#,
            wrong(EnvelopeError::Json),
        ),
        (
            r#"{"ephemeral_key":"KEY","hop_no":1.5}"#,
            wrong(EnvelopeError::Json),
        ),
        (
            r#"{"ephemeral_key":"KEY","enc_type":[]}"#,
            wrong(EnvelopeError::Json),
        ),
        (
            r#"{"ephemeral_key":"KEY","enc_type":"rot13"}"#,
            wrong(EnvelopeError::UnknownCipher),
        ),
        (
            r#"{"ephemeral_key":"KEY","hop_no":16}"#,
            Some(PeelError::PathTooLong),
        ),
        // From here on the layer is understood, and only its ciphertext is none.
        (
            r#"{"ephemeral_key":"KEY","hop_no":-7}"#,
            Some(PeelError::Ciphertext),
        ),
        (
            r#"{"hop_no":null,"enc_type":null,"x":{"y":[[]]},"ephemeral_key":"KEY"}"#,
            Some(PeelError::Ciphertext),
        ),
    ] {
        let json = json.replace("KEY", &key);
        assert_eq!(with_outer(&json).err(), error, "{json}");
    }
    let upper = format!(r#"{{"ephemeral_key":"{}"}}"#, key.to_uppercase());
    assert_eq!(with_outer(&upper).err(), Some(PeelError::Ciphertext));
    let long = format!(
        r#"{{"ephemeral_key":"{key}","x":"{}"}}"#,
        "x".repeat(envelope::MAX_LAYER_JSON_LEN)
    );
    assert_eq!(with_outer(&long).err(), wrong(EnvelopeError::Json));
}

#[test]
fn a_replay_with_another_encoding_of_its_key_is_refused() {
    let network = TestNetwork::new("files.example.org");
    let relay = &network.relays[0].x25519();
    for cipher in [HopCipher::AesGcm, HopCipher::XChaCha20] {
        let rng = &mut rng();
        let body = network
            .build(&network.keys(), cipher, vec![], &[], rng)
            .body;
        assert!(peel(relay, body.clone()).is_ok());
        let mark = b"\"ephemeral_key\":\"";
        let at = body.windows(mark.len()).rposition(|bytes| bytes == mark);
        // The last two digits are the byte that bit 255 is in.
        let at = at.unwrap() + mark.len() + 62;
        let last = u8::from_str_radix(str::from_utf8(&body[at..at + 2]).unwrap(), 16).unwrap();
        let mut replay = body;
        replay[at..at + 2].copy_from_slice(format!("{:02x}", last | 0x80).as_bytes());
        assert_eq!(
            peel(relay, replay).err(),
            Some(peel::PeelError::Envelope(envelope::EnvelopeError::Key))
        );
    }
}

#[test]
fn a_head_is_read_up_to_its_limits_and_no_further() {
    let framed = |json: &str| format!("l{}:{json}0:e", json.len()).into_bytes();
    let request = |json: &str| {
        let bytes = framed(json);
        let whole = 0..bytes.len();
        v4::decode_request(bytes, whole).map(|(head, _)| head.headers)
    };
    let answer = |json: &str| {
        let bytes = framed(json);
        let whole = 0..bytes.len();
        v4::decode_answer(bytes, whole).map(|answer| answer.headers)
    };
    let of = |headers: &str| {
        let both = (
            request(&format!(
                r#"{{"x":[{{}}],"method":"GET","endpoint":"/","headers":{headers}}}"#
            )),
            answer(&format!(r#"{{"x":[{{}}],"code":200,"headers":{headers}}}"#)),
        );
        assert_eq!(both.0, both.1);
        both.0
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        of(r#"{"b":"\u0078","a":3,"c":-1.50,"b":"last"}"#),
        Ok(vec![pair("b", "last"), pair("a", "3"), pair("c", "-1.5")])
    );
    for refused in [
        r#"{"a":null}"#,
        r#"{"a":true}"#,
        r#"{"a":["b"]}"#,
        "[]",
        "7",
    ] {
        assert_eq!(of(refused), Err(v4::V4Error), "{refused}");
    }
    let many = |count: usize| {
        let headers: Vec<_> = (0..count).map(|at| format!("\"h{at}\":{at}")).collect();
        of(&format!("{{{}}}", headers.join(",")))
    };
    assert_eq!(many(32).map(|headers| headers.len()), Ok(32));
    assert_eq!(many(33), Err(v4::V4Error));
    let long = |len: usize| of(&format!(r#"{{"a":"{}"}}"#, "x".repeat(len)));
    assert!(long(16_000).is_ok());
    assert!(long(v4::MAX_HEAD_JSON_LEN).is_err());
    // Spaces bring a message to its length and are no part of the head.
    let filled = format!(r#"{{"code":200}}{}"#, " ".repeat(100_000));
    assert_eq!(answer(&filled), Ok(vec![]));
}

/// A request on its way: what each party got, from the guard to the server, and the keys that open its answer.
struct Sent {
    reply: ReplyKeys,
    got: Vec<Vec<u8>>,
    back: Vec<ReplyLayer>,
}

impl Sent {
    fn new(cipher: HopCipher, sealed_return: bool, len: usize, rng: &mut ChaCha20Rng) -> Self {
        let network = TestNetwork::new("files.example.org");
        let route = OnionRoute {
            relays: &network.keys(),
            server: &network.address,
            cipher,
            sealed_return,
        };
        let head = RequestHead {
            method: "GET".to_owned(),
            endpoint: "/info".to_owned(),
            headers: vec![],
        };
        let built = build(&route, &head, &vec![7; len], rng).unwrap();
        let (mut got, mut back) = (vec![built.body.clone()], Vec::new());
        for relay in &network.relays {
            let body = got.last().cloned().unwrap_or_default();
            let peeled = peel(&relay.x25519(), body).unwrap();
            back.push(peeled.reply);
            got.push(match peeled.next {
                RelayInstruction::Forward { body, .. } => body,
                RelayInstruction::Proxy(proxy) => proxy.body,
                RelayInstruction::Destination | RelayInstruction::InvalidJson => {
                    panic!("it forwards and proxies")
                }
            });
        }
        Self {
            reply: built.reply,
            got,
            back,
        }
    }

    /// The ciphertext of the layer that the party at `place` opens.
    fn ciphertext(&self, place: usize) -> Vec<u8> {
        let body = &self.got[place];
        let parts = envelope::split(body, 0..body.len()).unwrap();
        body[parts.ciphertext].to_vec()
    }
}

#[test]
fn a_request_that_is_sent_back_is_nobodys_answer() {
    use base64ct::{Base64, Encoding as _};

    for cipher in [HopCipher::AesGcm, HopCipher::XChaCha20] {
        for sealed in [false, true] {
            let rng = &mut rng();
            let usual = Sent::new(cipher, sealed, 0, rng);
            for place in 0..=3 {
                // What a relay's layer holds begins with a length; here its first byte is that of a relay's failure.
                let len = usual
                    .got
                    .get(place + 1)
                    .map_or(0, |next| usize::from(1_u8.wrapping_sub(next[0])));
                let sent = Sent::new(cipher, sealed, len, rng);
                let reflected = sent.ciphertext(place);
                // Whoever stands before the party at `place` sends it, and the relays before that one pass it back.
                let answer = sent.back[..place.min(3)]
                    .iter()
                    .rev()
                    .fold(reflected.clone(), |answer, layer| layer.answer(answer, rng));
                let layer = if sealed { place } else { 3 };
                let nobodys = Some(ReplyError::Unauthentic { layer });
                assert_eq!(sent.reply.open(answer).err(), nobodys, "{cipher:?} {place}");
                // As the refusal of a relay that seals nothing.
                let refusal = Base64::encode_string(&reflected).into_bytes();
                let layer = if sealed { 0 } else { 3 };
                let nobodys = Some(ReplyError::Unauthentic { layer });
                assert_eq!(
                    sent.reply.open(refusal).err(),
                    nobodys,
                    "{cipher:?} {place}"
                );
            }
        }
    }
}

#[test]
fn small_order_keys_give_no_layer() {
    let relay = Identity::from_seed([1; 32]);
    let json = format!(r#"{{"ephemeral_key":"{}"}}"#, "00".repeat(32));
    let body = [&28_u32.to_le_bytes()[..], &[0; 28], json.as_bytes()].concat();
    assert_eq!(
        peel(&relay.x25519(), body).err(),
        Some(peel::PeelError::Ciphertext)
    );
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes: Vec<u8>, json in "\\{.{0,60}\\}") {
        let relay = Identity::from_seed([1; 32]);
        let _peeled = peel(&relay.x25519(), bytes.clone()).is_ok();
        let _opened = open_request(&relay.x25519(), bytes.clone()).is_ok();
        let framed = [&u32::try_from(bytes.len()).unwrap().to_le_bytes()[..], &bytes, json.as_bytes()].concat();
        let _peeled = peel(&relay.x25519(), framed).is_ok();
        let whole = 0..bytes.len();
        let _answer = v4::decode_answer(bytes.clone(), whole.clone()).is_ok();
        let _request = v4::decode_request(bytes, whole).is_ok();
    }

    #[test]
    fn hostile_bencode_never_panics(text in "l[0-9]{0,10}:[a-z{}]{0,20}[0-9]{0,9}:e?") {
        let bytes = text.into_bytes();
        let whole = 0..bytes.len();
        let _answer = v4::decode_answer(bytes.clone(), whole.clone()).is_ok();
        let _request = v4::decode_request(bytes, whole).is_ok();
    }

    #[test]
    fn v4_answers_survive_the_wire(code: u16, body: Vec<u8>, value in "[ -~]{0,40}") {
        let headers = vec![("name".to_owned(), value)];
        let encoded = v4::encode_answer(Response { code, headers: headers.clone(), body: body.clone().into() }, true, 3, 5).unwrap();
        let range = 3..encoded.len() - 5;
        let decoded = v4::decode_answer(encoded, range).unwrap();
        prop_assert!(decoded.code == code && decoded.headers == headers && *decoded.body == body);
    }

    #[test]
    fn a_changed_request_never_opens(at in 4..2_000_usize, bit in 0..8_u32, seed: u64) {
        let network = TestNetwork::new("files.example.org");
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut body = network.build(&network.keys(), HopCipher::XChaCha20, vec![], &[], &mut rng).body;
        body[at] ^= 1 << bit;
        prop_assert!(peel(&network.relays[0].x25519(), body).is_err());
    }
}
