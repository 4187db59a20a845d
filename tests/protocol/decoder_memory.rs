//! No decoder of what strangers send takes more heap than three times its input and 64 KiB, whatever the input is.
//!
//! [`DECODERS`] names them all: a new one is one entry; those of folders and of wholes in parts are in `large_memory`. Each is given JSON (or text, or CBOR) made to take as much memory
//! as it can, at every place where its input can hold some.

use std::sync::OnceLock;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use allocation_counter::measure;
use base64ct::{Base64, Encoding as _};
use bech32::{Bech32m, Hrp};
use cloakroom::app::relays::list_file;
use cloakroom::net::socks::SocksProxy;
use cloakroom::protocol::address::{FileLink, ServerAddress};
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::file_api::{
    LONG_ANSWER_LEN, read_file_info, read_server_info, read_signed_list, read_status, read_uploaded,
};
use cloakroom::protocol::invitation::Invitation;
use cloakroom::protocol::keys::{Ed25519Public, Identity, X25519Public, X25519Secret};
use cloakroom::protocol::network::{AnnouncementError, SignedAnnouncement};
use cloakroom::protocol::onion::envelope::MAX_LAYER_JSON_LEN;
use cloakroom::protocol::onion::hop_cipher::HopKey;
use cloakroom::protocol::onion::v4::{self, RequestHead, Response};
use cloakroom::protocol::onion::{
    HopCipher, OnionRoute, RelayInstruction, ReplyError, ReplyKeys, build, open_request, peel,
};
use cloakroom::protocol::pointer::Pointer;
use cloakroom::protocol::relay_list::session_nodes::MAX_ANSWER_LEN;
use cloakroom::protocol::relay_list::{
    HeldList, ListSource, MAX_LIST_LEN, RelayDescriptor, RelayList, SessionNodes, sign,
};
use cloakroom::protocol::seal::{FileKey, UnverifiedBlob};
use cloakroom::protocol::size_class::SizeClass;
use cloakroom::server::files::record::{BlobRecord, RECORD_LEN};
use hkdf::Hkdf;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sha2::Sha256;

/// Heap that a decoder may take for an input of `len` bytes.
pub(super) const fn allowed(len: usize) -> u64 {
    3 * len as u64 + 65_536
}

/// One decoder and what it is given.
struct Decoder {
    name: &'static str,
    /// Bytes of the longest text that it looks into. A longer one is tried in one place only.
    max: usize,
    /// Brings a text into the form that arrives, outside the measurement.
    wrap: fn(&[u8]) -> Vec<u8>,
    /// Decodes; whether the input was accepted.
    decode: fn(Vec<u8>) -> bool,
    /// A text that is accepted, so that the way to the decoder is known to be open.
    good: fn() -> String,
    /// Texts in which `@` is replaced by hostile JSON.
    around: &'static [&'static str],
}

const DECODERS: &[Decoder] = &[
    Decoder {
        name: "the outer layer of a request",
        max: MAX_LAYER_JSON_LEN,
        wrap: |json| [&28_u32.to_le_bytes()[..], &[0; 28], json].concat(),
        decode: |body| peel(&relay().x25519(), body).is_ok(),
        // Whatever the JSON, a ciphertext of zeros opens with no key.
        good: String::new,
        around: &[
            "@",
            r#"{"ephemeral_key":@}"#,
            r#"{"hop_no":@,"enc_type":@}"#,
        ],
    },
    Decoder {
        name: "the layer of a relay",
        max: MAX_LAYER_JSON_LEN,
        wrap: |json| sealed_to_relay(&[&10_u32.to_le_bytes()[..], b"ciphertext", json].concat()),
        decode: |body| {
            let peeled = peel(&relay().x25519(), body);
            peeled.is_ok_and(|peeled| !matches!(peeled.next, RelayInstruction::InvalidJson))
        },
        good: || r#"{"host":"files.example","target":"/oxen/v4/lsrpc"}"#.to_owned(),
        around: &["@", r#"{"host":@,"target":@}"#, r#"{"x":@,"headers":@}"#],
    },
    Decoder {
        name: "the envelope of a server",
        max: MAX_LAYER_JSON_LEN,
        wrap: |json| [&28_u32.to_le_bytes()[..], &[0; 28], json].concat(),
        decode: |body| open_request(&relay().x25519(), body).is_ok(),
        good: String::new,
        around: &["@", r#"{"ephemeral_key":@}"#],
    },
    Decoder {
        name: "the request inside its innermost layer",
        max: v4::MAX_HEAD_JSON_LEN,
        wrap: |json| sealed_to_relay(&bencoded(json)),
        decode: |body| {
            let opened = open_request(&relay().x25519(), body);
            opened.is_ok_and(|opened| opened.request.is_some())
        },
        good: || r#"{"method":"GET","endpoint":"/info","headers":{"a":"b"}}"#.to_owned(),
        around: HEADS,
    },
    Decoder {
        name: "a request's head",
        max: v4::MAX_HEAD_JSON_LEN,
        wrap: bencoded,
        decode: |bytes| {
            let whole = 0..bytes.len();
            v4::decode_request(bytes, whole).is_ok()
        },
        good: || r#"{"method":"GET","endpoint":"/info","headers":{"a":"b"}}"#.to_owned(),
        around: HEADS,
    },
    Decoder {
        name: "an answer's head",
        max: v4::MAX_HEAD_JSON_LEN,
        wrap: bencoded,
        decode: |bytes| {
            let whole = 0..bytes.len();
            v4::decode_answer(bytes, whole).is_ok()
        },
        good: || r#"{"code":200,"headers":{"a":"b"}}"#.to_owned(),
        around: HEADS,
    },
    Decoder {
        name: "a server's sealed answer",
        max: v4::MAX_HEAD_JSON_LEN,
        wrap: |json| {
            let asked = asked(true);
            let answer = sealed(&asked.keys[3], &bencoded(json));
            passed_back(&asked.keys[..3], answer)
        },
        decode: |body| asked(true).reply.open(body).is_ok(),
        good: || r#"{"code":200,"headers":{"a":"b"}}"#.to_owned(),
        around: HEADS,
    },
    Decoder {
        name: "a failure of a middle relay",
        max: LARGEST,
        wrap: |text| {
            let asked = asked(true);
            let failure = sealed(&asked.keys[1], &[&[1, 0xf6, 1], text].concat());
            passed_back(&asked.keys[..1], failure)
        },
        decode: |body| matches!(asked(true).reply.open(body), Err(ReplyError::Relay { .. })),
        good: || "Next node not found: ".to_owned(),
        around: &["@"],
    },
    Decoder {
        name: "the refusal of a relay that seals nothing",
        max: 4_096,
        wrap: |json| Base64::encode_string(&sealed(&asked(false).keys[1], json)).into_bytes(),
        decode: |body| matches!(asked(false).reply.open(body), Err(ReplyError::Relay { .. })),
        good: || r#"{"status":400,"body":"Invalid json"}"#.to_owned(),
        around: &[
            "@",
            r#"{"status":400,"body":@}"#,
            r#"{"body":"","x":@,"status":@}"#,
        ],
    },
    Decoder {
        name: "a relay list",
        max: MAX_LIST_LEN,
        wrap: <[u8]>::to_vec,
        decode: |bytes| RelayList::parse(&bytes, NOW).is_ok(),
        good: relay_list,
        around: LISTS,
    },
    Decoder {
        name: "a relay list that was fetched",
        max: LONG_ANSWER_LEN,
        wrap: |list| [list, sign(&relay(), list).as_bytes()].concat(),
        decode: |bytes| {
            let (list, signature) = bytes.split_last_chunk::<128>().unwrap();
            let signature = str::from_utf8(signature).unwrap();
            let mut held = HeldList::new(relay().public());
            held.offer(list, Some(signature), NOW).is_ok()
        },
        good: relay_list,
        around: LISTS,
    },
    Decoder {
        name: "a relay list in a file",
        max: MAX_LIST_LEN,
        wrap: <[u8]>::to_vec,
        decode: |bytes| {
            let signature = "ab".repeat(64);
            let key = relay().public();
            list_file::verify(&bytes, Some(&signature), Some(&key), NOW)
                .iter()
                .any(|check| check.said == "it names 3 relays")
        },
        good: relay_list,
        around: LISTS,
    },
    Decoder {
        name: "the entry of a relay",
        max: MAX_LIST_LEN,
        wrap: <[u8]>::to_vec,
        decode: |bytes| RelayDescriptor::parse(&String::from_utf8(bytes).unwrap()).is_ok(),
        good: || entry(1, "\"any\""),
        around: &[
            "@",
            r#"{"ed25519":@}"#,
            r#"{"serves":@,"ed25519":""}"#,
            r#"{"operator":@}"#,
        ],
    },
    Decoder {
        name: "the nodes that a seed names",
        max: MAX_ANSWER_LEN,
        wrap: <[u8]>::to_vec,
        decode: |bytes| SessionNodes::read_answer(&bytes, NOW).is_ok(),
        good: || {
            let nodes: Vec<_> = (1..=3).map(node).collect();
            format!(
                r#"{{"result":{{"service_node_states":[{}]}}}}"#,
                nodes.join(",")
            )
        },
        around: &[
            "@",
            r#"{"result":{"service_node_states":@}}"#,
            r#"{"result":{"service_node_states":[@,{"public_ip":@,"pubkey_ed25519":@}]}}"#,
            r#"{"result":{"height":1,"x":@,"service_node_states":[]}}"#,
        ],
    },
    Decoder {
        name: "what a server says of itself",
        max: LONG_ANSWER_LEN,
        wrap: <[u8]>::to_vec,
        decode: |body| read_server_info(&said(body)).is_ok(),
        good: || {
            r#"{"name":"n","version":"1","max_blob":1,"ttl_default":2,"ttl_max":3,"features":["owner"]}"#
                .to_owned()
        },
        around: &[
            "@",
            r#"{"features":@}"#,
            r#"{"name":@}"#,
            r#"{"work_bits":@}"#,
            r#"{"x":@}"#,
        ],
    },
    Decoder {
        name: "what a server says of a file",
        max: LONG_ANSWER_LEN,
        wrap: <[u8]>::to_vec,
        decode: |body| read_file_info(&said(body)).is_ok(),
        good: || r#"{"size":1,"uploaded":1,"expires":2}"#.to_owned(),
        around: &["@", r#"{"size":@}"#, r#"{"x":@}"#],
    },
    Decoder {
        name: "what a server says of a file to its owner",
        max: LONG_ANSWER_LEN,
        wrap: <[u8]>::to_vec,
        decode: |body| read_status(&said(body)).is_ok(),
        good: || r#"{"size":1,"uploaded":1,"expires":2,"receipts":["x"]}"#.to_owned(),
        around: &[
            "@",
            r#"{"receipts":@,"size":1,"uploaded":1,"expires":2}"#,
            r#"{"x":@}"#,
        ],
    },
    Decoder {
        name: "what a server says of an upload",
        max: LONG_ANSWER_LEN,
        wrap: <[u8]>::to_vec,
        decode: |body| read_uploaded(&said(body), 1, &Digest::of(b"x")).is_ok(),
        good: || r#"{"id":"abc","expires":1.5}"#.to_owned(),
        around: &[
            "@",
            r#"{"id":@,"expires":1}"#,
            r#"{"digest":@}"#,
            r#"{"x":@}"#,
        ],
    },
    Decoder {
        name: "the relay list that a server mirrors",
        max: LONG_ANSWER_LEN,
        wrap: <[u8]>::to_vec,
        decode: |body| read_signed_list(&said(body)).is_ok(),
        good: || r#"{"list":"{}\n","signature":"ab"}"#.to_owned(),
        around: &["@", r#"{"list":@,"signature":@}"#, r#"{"x":@}"#],
    },
    Decoder {
        name: "a pasted text with a pointer",
        max: 65_536,
        wrap: <[u8]>::to_vec,
        decode: |bytes| Pointer::find(&String::from_utf8(bytes).unwrap()).is_ok(),
        good: || format!("take this: {} ", pointer()),
        around: &["@", "cloak1@"],
    },
    Decoder {
        name: "a pasted text with an invitation",
        max: 65_536,
        wrap: <[u8]>::to_vec,
        decode: |bytes| Invitation::find(&String::from_utf8(bytes).unwrap(), 0).is_ok(),
        good: || {
            format!(
                "join us: {} ",
                networks()["good"][2]["text"].as_str().unwrap()
            )
        },
        around: &["@", "cloakin1@"],
    },
    Decoder {
        name: "the announcement of a relay",
        max: 8_192,
        wrap: <[u8]>::to_vec,
        decode: |bytes| SignedAnnouncement::parse(&bytes).is_ok(),
        good: || format!(r#"{{"entry":"","signature":"{}"}}"#, "0".repeat(128)),
        around: &["@", r#"{"entry":@,"signature":@}"#, r#"{"x":@}"#],
    },
    Decoder {
        name: "the entry in an announcement",
        max: 1_024,
        wrap: |entry| {
            let entry = String::from_utf8_lossy(entry);
            let body = serde_json::json!({ "entry": entry, "signature": "0".repeat(128) });
            body.to_string().into_bytes()
        },
        decode: |bytes| {
            let signed = SignedAnnouncement::parse(&bytes);
            let verified = signed.and_then(|signed| signed.verify(&relay().public()));
            verified == Err(AnnouncementError::WronglySigned)
        },
        good: || {
            networks()["join_entry"]["entry"]
                .as_str()
                .unwrap()
                .to_owned()
        },
        around: &[
            "@",
            r#"{"ed25519":@}"#,
            r#"{"serves":@}"#,
            r#"{"at":@}"#,
            r#"{"x":@}"#,
        ],
    },
    Decoder {
        name: "the address of a server",
        max: 1_024,
        wrap: <[u8]>::to_vec,
        decode: |bytes| {
            String::from_utf8(bytes)
                .unwrap()
                .parse::<ServerAddress>()
                .is_ok()
        },
        good: || format!("https://files.example#p={}", relay().public().to_hex()),
        around: &["@", "https://@#p=KEY", "https://files.example/@#p=KEY"],
    },
    Decoder {
        name: "the link of a file",
        max: 1_024,
        wrap: <[u8]>::to_vec,
        decode: |bytes| {
            String::from_utf8(bytes)
                .unwrap()
                .parse::<FileLink>()
                .is_ok()
        },
        good: || {
            format!(
                "https://files.example/file/abc#p={}",
                relay().public().to_hex()
            )
        },
        around: &[
            "@",
            "https://@/file/abc#p=KEY",
            "https://files.example/file/@#p=KEY",
        ],
    },
    Decoder {
        name: "the line of a relay list",
        max: 512,
        wrap: <[u8]>::to_vec,
        decode: |bytes| {
            String::from_utf8(bytes)
                .unwrap()
                .parse::<ListSource>()
                .is_ok()
        },
        good: || {
            format!(
                "https://lists.example/relays.json#k={}",
                relay().public().to_hex()
            )
        },
        around: &[
            "@",
            "https://@/relays.json#k=KEY",
            "https://lists.example/@#k=KEY",
        ],
    },
    Decoder {
        name: "the address of a proxy",
        max: 2_560,
        wrap: <[u8]>::to_vec,
        decode: |bytes| {
            String::from_utf8(bytes)
                .unwrap()
                .parse::<SocksProxy>()
                .is_ok()
        },
        good: || "socks5://user:word@127.0.0.1:9050".to_owned(),
        around: &["@", "socks5://@:9050", "socks5://%41@:%42@:9050"],
    },
    Decoder {
        name: "a key",
        max: 64,
        wrap: <[u8]>::to_vec,
        decode: |bytes| {
            let text = String::from_utf8(bytes).unwrap();
            X25519Public::from_any_hex(&text).is_ok() && Ed25519Public::from_hex(&text).is_ok()
        },
        good: || relay().public().to_hex(),
        around: &["@"],
    },
    Decoder {
        name: "the record of a stored blob",
        max: RECORD_LEN,
        wrap: <[u8]>::to_vec,
        decode: |bytes| {
            let record = bytes.first_chunk::<RECORD_LEN>();
            record.is_some_and(|record| BlobRecord::decode(record).is_some())
        },
        good: || format!("\u{1}{}", "\0".repeat(RECORD_LEN - 1)),
        around: &["@"],
    },
];

const HEADS: &[&str] = &[
    "@",
    r#"{"headers":@}"#,
    r#"{"method":@,"endpoint":@}"#,
    r#"{"headers":{"a":@}}"#,
    r#"{"x":@,"code":@}"#,
];

const LISTS: &[&str] = &[
    "@",
    r#"{"version":@}"#,
    r#"{"version":1,"name":@,"issued":1,"expires":2000000000,"relays":[]}"#,
    r#"{"version":1,"issued":1,"expires":2000000000,"relays":@}"#,
    r#"{"version":1,"issued":1,"expires":2000000000,"relays":[@]}"#,
    r#"{"version":1,"issued":1,"expires":2000000000,"relays":[{"serves":@}]}"#,
    r#"{"version":1,"x":@}"#,
];

/// JSON of about `len` bytes, made to take memory.
fn bombs(len: usize) -> Vec<(&'static str, String)> {
    let half = len / 2;
    let members = |count: usize, name: fn(usize) -> String| {
        let members: Vec<_> = (0..count).map(|at| format!("\"{}\":1", name(at))).collect();
        format!("{{{}}}", members.join(","))
    };
    vec![
        ("nested arrays", "[".repeat(half) + &"]".repeat(half)),
        ("arrays never closed", "[".repeat(len)),
        (
            "nested objects",
            "{\"\":".repeat(len / 5) + "1" + &"}".repeat(len / 5),
        ),
        ("many arrays", format!("[[]{}]", ",[]".repeat(len / 3))),
        ("many objects", format!("[{{}}{}]", ",{}".repeat(len / 3))),
        ("many numbers", format!("[1{}]", ",1".repeat(half))),
        ("many texts", format!("[\"\"{}]", ",\"a\"".repeat(len / 4))),
        (
            "many texts with escapes",
            format!("[\"\"{}]", ",\"\\n\"".repeat(len / 5)),
        ),
        ("many members", members(len / 9, |at| format!("{at:x}"))),
        ("members of one name", members(len / 5, |_| String::new())),
        ("a long text", format!("\"{}\"", "x".repeat(len))),
        (
            "a long text of escapes",
            format!("\"{}\"", "\\n".repeat(half)),
        ),
        (
            "a long text with an escape behind",
            format!("\"{}\\n\"", "x".repeat(len)),
        ),
        ("a long name", format!("{{\"{}\":1}}", "x".repeat(len))),
        (
            "a long name with an escape behind",
            format!("{{\"{}\\n\":1}}", "x".repeat(len)),
        ),
        ("a long number", "1".repeat(len)),
        (
            "relays",
            format!("[{}]", repeated(&entry(1, "\"any\""), len)),
        ),
        ("relays with hosts", {
            let hosts = format!("[{}]", vec!["\"a\""; 40].join(","));
            format!("[{}]", repeated(&entry(1, &hosts), len))
        }),
        ("a relay with many hosts", {
            let hosts = format!("[{}]", repeated("\"a\"", len));
            format!("[{}]", entry(1, &hosts))
        }),
        ("nodes", format!("[{}]", repeated(&node(1), len))),
        ("receipts", {
            let receipts: Vec<_> = (0..len / 163).map(|at| format!("\"{at:0160x}\"")).collect();
            format!("[{}]", receipts.join(","))
        }),
        ("pointers cut off", "cloak1qqqq ".repeat(len / 11)),
        (
            "one letter after the other",
            "c l o a k 1 ".repeat(len / 12),
        ),
        ("spaces", " ".repeat(len)),
    ]
}

fn repeated(json: &str, len: usize) -> String {
    vec![json; len.div_ceil(json.len() + 1)].join(",")
}

const NOW: u64 = 1_800_000_000;
/// Bytes of the largest message there is, or nearly.
const LARGEST: usize = 10_000_000;

fn peak(decoder: &Decoder, text: &[u8]) -> (usize, u64) {
    let input = (decoder.wrap)(text);
    let len = input.len();
    // What is made once and kept is not part of it.
    asked(true);
    asked(false);
    let taken = measure(|| {
        (decoder.decode)(input.clone());
    });
    (len, taken.bytes_max)
}

/// Gives every decoder the bombs of each length that are named.
fn check(lengths: &[usize], named: fn(&str) -> bool) {
    let mut greedy = Vec::new();
    for len in lengths {
        for (bomb, hostile) in bombs(*len).into_iter().filter(|(bomb, _)| named(bomb)) {
            for decoder in DECODERS {
                let longest = 2 * decoder.max;
                let places = if *len > longest { 1 } else { usize::MAX };
                for around in decoder.around.iter().take(places) {
                    let key = relay().public().to_hex();
                    let text = around.replace("KEY", &key).replace('@', &hostile);
                    let (len, taken) = peak(decoder, text.as_bytes());
                    if taken > allowed(len) {
                        let name = decoder.name;
                        greedy.push(format!("{name}: {bomb} in {around}: {taken} for {len}"));
                    }
                }
            }
        }
    }
    assert!(greedy.is_empty(), "bytes of heap: {greedy:#?}");
}

#[test]
fn no_decoder_takes_more_than_three_times_its_input() {
    check(&[4_000, 16_000, 64_000], |_| true);
}

#[test]
fn nor_of_a_long_one() {
    check(&[1_000_000], |_| true);
}

#[test]
fn not_even_of_the_largest_message() {
    const WORST: [&str; 3] = ["nested arrays", "many objects", "many members"];
    check(&[LARGEST], |bomb| WORST.contains(&bomb));
}

#[test]
fn every_decoder_is_reached_and_a_tree_of_values_would_be_noticed() {
    for decoder in DECODERS {
        let good = (decoder.good)();
        let accepted = (decoder.decode)((decoder.wrap)(good.as_bytes()));
        assert_eq!(accepted, !good.is_empty(), "{}: {good}", decoder.name);
    }
    for bomb in ["[]", "{}", "1"] {
        let many = format!("[{bomb}{}]", format!(",{bomb}").repeat(1_000_000));
        let taken = measure(|| {
            drop(serde_json::from_str::<serde_json::Value>(&many).unwrap());
        });
        assert!(taken.bytes_max > allowed(many.len()), "{bomb}: {taken:?}");
    }
}

/// A pointer's map is at most 631 bytes and a header's frame 1,028, so here it is enough that neither grows.
#[test]
fn cbor_takes_no_more() {
    let maps = [
        [&[0xb9, 0x02, 0x00][..], &[0, 0xf6].repeat(300)].concat(),
        [
            &[0xb8, 24][..],
            &(0..24).flat_map(|key| [key, 0xf6]).collect::<Vec<_>>(),
        ]
        .concat(),
        [&[0xa1, 0][..], &[0x81; 600], &[0]].concat(),
        [&[0xa1, 0][..], &[0x9f; 600]].concat(),
        [&[0xa1, 0][..], &[0xbf; 600]].concat(),
        [&[0xa1, 0, 0x5b][..], &[0xff; 8]].concat(),
        [&[0xa1, 0, 0x9b][..], &[0xff; 8]].concat(),
        vec![0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ];
    for map in maps {
        let word = bech32::encode::<Bech32m>(Hrp::parse("cloak").unwrap(), &map)
            .unwrap_or_else(|_too_long| "cloak1qqqq".to_owned());
        let taken = measure(|| assert!(Pointer::find(&word).is_err()));
        assert!(taken.bytes_max <= allowed(word.len()), "{taken:?}");

        let blob = blob_with_header(&map);
        let (digest, len) = (Digest::of(&blob), blob.len());
        let taken = measure(|| {
            let blob = UnverifiedBlob::new(blob.clone()).verify(&digest).unwrap();
            assert!(blob.open(&FileKey::from_bytes(KEY)).is_err());
        });
        assert!(taken.bytes_max <= allowed(len), "{taken:?}");
    }
}

fn relay() -> Identity {
    Identity::from_seed([1; 32])
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(7)
}

fn bencoded(json: &[u8]) -> Vec<u8> {
    [format!("l{}:", json.len()).as_bytes(), json, b"0:e"].concat()
}

fn said(body: Vec<u8>) -> Response {
    Response {
        code: 200,
        headers: Vec::new(),
        body: body.into(),
    }
}

fn sealed(key: &HopKey, inside: &[u8]) -> Vec<u8> {
    let mut region = vec![0; key.cipher().nonce_len()];
    region.extend_from_slice(inside);
    region.resize(inside.len() + key.cipher().overhead(), 0);
    key.seal_in_place(&mut region, &mut rng());
    region
}

/// An envelope that opens with the relay's key and has `inside` in it.
fn sealed_to_relay(inside: &[u8]) -> Vec<u8> {
    let secret = X25519Secret::from_bytes([9; 32]);
    let to = relay().public().to_x25519();
    let shared = secret.agree(&to).unwrap();
    let key = HopKey::derive(HopCipher::AesGcm, &shared, &secret.public(), &to);
    let region = sealed(&key, inside);
    let json = format!(r#"{{"ephemeral_key":"{}"}}"#, secret.public().to_hex());
    let len = u32::try_from(region.len()).unwrap();
    [&len.to_le_bytes()[..], &region, json.as_bytes()].concat()
}

/// A request over three relays: what opens its answer, and the key of each layer from the guard's to the server's.
struct Asked {
    reply: ReplyKeys,
    keys: Vec<HopKey>,
}

fn asked(sealed_return: bool) -> &'static Asked {
    static SEALED: OnceLock<Asked> = OnceLock::new();
    static PLAIN: OnceLock<Asked> = OnceLock::new();
    let place = if sealed_return { &SEALED } else { &PLAIN };
    place.get_or_init(|| ask(sealed_return))
}

fn ask(sealed_return: bool) -> Asked {
    let cipher = HopCipher::XChaCha20;
    let parties: Vec<_> = (1..=4)
        .map(|seed| Identity::from_seed([seed; 32]))
        .collect();
    let relays: Vec<_> = parties[..3].iter().map(Identity::public).collect();
    let key = parties[3].public().to_hex();
    let server = format!("http://files.example.org#p={key}");
    let route = OnionRoute {
        relays: &relays,
        server: &server.parse().unwrap(),
        cipher,
        sealed_return,
    };
    let head = RequestHead {
        method: "GET".to_owned(),
        endpoint: "/info".to_owned(),
        headers: Vec::new(),
    };
    let built = build(&route, &head, b"", &mut rng()).unwrap();
    let mut body = built.body;
    let mut keys = Vec::new();
    for party in &parties {
        let at = body.iter().rposition(|byte| *byte == b'{').unwrap();
        let json: serde_json::Value = serde_json::from_slice(&body[at..]).unwrap();
        let ephemeral = X25519Public::from_hex(json["ephemeral_key"].as_str().unwrap()).unwrap();
        let shared = party.x25519().agree(&ephemeral).unwrap();
        let own = party.public().to_x25519();
        keys.push(HopKey::derive(cipher, &shared, &ephemeral, &own));
        if keys.len() < 4 {
            body = match peel(&party.x25519(), body).unwrap().next {
                RelayInstruction::Forward { body, .. } => body,
                RelayInstruction::Proxy(proxy) => proxy.body,
                RelayInstruction::Destination | RelayInstruction::InvalidJson => {
                    panic!("a built request")
                }
            };
        }
    }
    Asked {
        reply: built.reply,
        keys,
    }
}

/// What the relays that hold `keys` make of an answer on its way back.
fn passed_back(keys: &[HopKey], answer: Vec<u8>) -> Vec<u8> {
    keys.iter().rev().fold(answer, |answer, key| {
        sealed(key, &[&[0][..], &answer].concat())
    })
}

fn entry(seed: u8, serves: &str) -> String {
    let key = Identity::from_seed([seed; 32]).public();
    format!(
        r#"{{"ed25519":"{}","x25519":"{}","host":"::1","port":1,"serves":{serves}}}"#,
        key.to_hex(),
        key.to_x25519().to_hex()
    )
}

fn relay_list() -> String {
    let relays: Vec<_> = (1..=3).map(|seed| entry(seed, "[\"a.example\"]")).collect();
    format!(
        r#"{{"version":1,"name":"n","issued":1,"expires":2000000000,"relays":[{}]}}"#,
        relays.join(",")
    )
}

fn node(seed: u8) -> String {
    let key = Identity::from_seed([seed; 32]).public();
    format!(
        r#"{{"public_ip":"1.1.1.1","storage_port":1,"pubkey_x25519":"{}","pubkey_ed25519":"{}"}}"#,
        key.to_x25519().to_hex(),
        key.to_hex()
    )
}

/// A published pointer.
fn pointer() -> String {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../vectors/cloakroom.json")).unwrap();
    vectors["pointer"][0]["text"].as_str().unwrap().to_owned()
}

fn networks() -> serde_json::Value {
    serde_json::from_str(include_str!("../vectors/networks.json")).unwrap()
}

const KEY: [u8; 32] = [3; 32];

/// A blob that opens, with `header` where its header belongs.
fn blob_with_header(header: &[u8]) -> Vec<u8> {
    let len = u32::try_from(header.len()).unwrap();
    let mut inside = [&len.to_le_bytes()[..], header].concat();
    inside.resize(SizeClass::ALL[0].blob_len() - 60, 0);
    let mut commitment = [0; 32];
    Hkdf::<Sha256>::new(None, &KEY)
        .expand(b"cloakroom key commitment v1", &mut commitment)
        .unwrap();
    let nonce = [4; 12];
    let payload = Payload {
        msg: &inside,
        aad: b"cloakroom blob v1",
    };
    let sealed = Aes256Gcm::new(&KEY.into())
        .encrypt(&nonce.into(), payload)
        .unwrap();
    [&commitment[..], &nonce, &sealed].concat()
}
