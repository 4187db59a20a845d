//! What a client gets back. The first byte chooses who is hostile. `0` to `3`: the guard, the middle, the last or the
//! server, and the others seal honestly what they get. `4` to `6`: one of three relays that do not seal what they pass
//! back, and refuses in its own words. Anything else: the guard sends the bytes as they are, to either.
#![no_main]

mod bounded;

use std::sync::OnceLock;

use base64ct::{Base64, Encoding as _};
use bounded::bounded;
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::keys::X25519Public;
use cloakroom::protocol::onion::hop_cipher::HopKey;
use cloakroom::protocol::onion::v4::RequestHead;
use cloakroom::protocol::onion::{Built, HopCipher, RelayInstruction, ReplyError, OnionRoute, build, peel};
use libfuzzer_sys::fuzz_target;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

/// A request, and the key of each of its layers from the guard's to the server's.
struct Asked {
    built: Built,
    keys: Vec<HopKey>,
}

fuzz_target!(|bytes: &[u8]| {
    static SEALED: OnceLock<Asked> = OnceLock::new();
    static UNSEALED: OnceLock<Asked> = OnceLock::new();
    let asked = SEALED.get_or_init(|| ask(HopCipher::XChaCha20, true));
    let unsealed = UNSEALED.get_or_init(|| ask(HopCipher::AesGcm, false));
    let Some((hostile, said)) = bytes.split_first() else {
        return;
    };
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let place = match hostile {
        b'0'..=b'3' => usize::from(hostile - b'0'),
        b'4'..=b'6' => {
            let hop = usize::from(hostile - b'4');
            let refusal = sealed(&unsealed.keys[hop], said, &mut rng);
            let refusal = Base64::encode_string(&refusal).into_bytes();
            match bounded(refusal.len(), || unsealed.built.reply.open(refusal)) {
                Ok(_) => panic!("a relay's words are no answer"),
                Err(ReplyError::Relay { hop: by, .. }) => assert_eq!(by, hop),
                Err(_) => {}
            }
            return;
        }
        _ => {
            for asked in [asked, unsealed] {
                bounded(said.len(), || asked.built.reply.open(said.to_vec()).map(drop)).ok();
            }
            return;
        }
    };
    let mut answer = sealed(&asked.keys[place], said, &mut rng);
    for key in asked.keys[..place].iter().rev() {
        answer = sealed(key, &[&[0][..], answer.as_slice()].concat(), &mut rng);
    }
    let len = answer.len();
    if let Ok(opened) = bounded(len, || asked.built.reply.open(answer)) {
        assert!(place == 3 && opened.response.body.len() < len);
        assert_eq!(opened.link_lengths.len(), 4);
    }
});

fn sealed(key: &HopKey, inside: &[u8], rng: &mut ChaCha20Rng) -> Vec<u8> {
    let mut region = vec![0; key.cipher().nonce_len()];
    region.extend_from_slice(inside);
    region.resize(inside.len() + key.cipher().overhead(), 0);
    key.seal_in_place(&mut region, rng);
    region
}

fn ask(cipher: HopCipher, sealed_return: bool) -> Asked {
    let parties: Vec<_> = (1..=4)
        .map(|seed| Identity::from_seed([seed; 32]))
        .collect();
    let relays: Vec<_> = parties[..3].iter().map(Identity::public).collect();
    let server = format!(
        "http://files.example.org#p={}",
        parties[3].public().to_hex()
    );
    let server = server.parse().expect("a good address");
    let route = OnionRoute {
        relays: &relays,
        server: &server,
        cipher,
        sealed_return,
    };
    let head = RequestHead {
        method: "GET".to_owned(),
        endpoint: "/info".to_owned(),
        headers: Vec::new(),
    };
    let built = build(&route, &head, b"", &mut ChaCha20Rng::seed_from_u64(6)).expect("it fits");
    let mut body = built.body.clone();
    let mut keys = Vec::new();
    for party in &parties {
        let at = body
            .iter()
            .rposition(|byte| *byte == b'{')
            .expect("every layer ends in JSON");
        let json: serde_json::Value = serde_json::from_slice(&body[at..]).expect("JSON");
        let ephemeral = json["ephemeral_key"].as_str().expect("its key");
        let ephemeral = X25519Public::from_hex(ephemeral).expect("its key");
        let shared = party.x25519().agree(&ephemeral).expect("a strong key");
        keys.push(HopKey::derive(
            cipher,
            &shared,
            &ephemeral,
            &party.public().to_x25519(),
        ));
        if keys.len() < 4 {
            body = match peel(&party.x25519(), body).expect("a good layer").next {
                RelayInstruction::Forward { body, .. } => body,
                RelayInstruction::Proxy(proxy) => proxy.body,
                RelayInstruction::Destination | RelayInstruction::InvalidJson => unreachable!("a built request"),
            };
        }
    }
    Asked { built, keys }
}
