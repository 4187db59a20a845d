//! What a relay and a server are sent. The first byte chooses: the bytes as they are, or sealed to the relay first, so
//! that the layer opens and its inside is what is hostile; by one cipher or the other.
#![no_main]

mod bounded;

use bounded::bounded;
use cloakroom::protocol::keys::{Identity, X25519Secret};
use cloakroom::protocol::onion::hop_cipher::HopKey;
use cloakroom::protocol::onion::{HopCipher, MAX_HOP_NO, RelayInstruction, open_request, peel};
use libfuzzer_sys::fuzz_target;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

fuzz_target!(|bytes: &[u8]| {
    let Some((mode, bytes)) = bytes.split_first() else {
        return;
    };
    let relay = Identity::from_seed([1; 32]);
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let body = match mode {
        b'0' => bytes.to_vec(),
        b'1' => sealed(HopCipher::AesGcm, &relay, bytes, &mut rng),
        _ => sealed(HopCipher::XChaCha20, &relay, bytes, &mut rng),
    };
    let len = body.len();
    bounded(len, || open_request(&relay.x25519(), body.clone())).ok();
    let Ok(peeled) = bounded(len, || peel(&relay.x25519(), body)) else {
        return;
    };
    assert!(peeled.hop_no <= MAX_HOP_NO);
    match peeled.next {
        RelayInstruction::Forward { body, .. } => assert!(body.len() < len + 128),
        RelayInstruction::Proxy(proxy) => assert!(proxy.body.len() < len),
        RelayInstruction::Destination | RelayInstruction::InvalidJson => {}
    }
    let answer = peeled.reply.answer(bytes.to_vec(), &mut rng);
    assert!(answer.len() <= bytes.len() + 41);
    let (_status, failure) = peeled
        .reply
        .failure(502, &String::from_utf8_lossy(bytes), &mut rng);
    assert!(!peeled.reply.is_sealed() || failure.len() <= 4_096 + 40);
});

/// An envelope that opens with the relay's key and has `inside` in it.
fn sealed(cipher: HopCipher, relay: &Identity, inside: &[u8], rng: &mut ChaCha20Rng) -> Vec<u8> {
    let secret = X25519Secret::from_bytes([9; 32]);
    let to = relay.public().to_x25519();
    let shared = secret.agree(&to).expect("the relay's key is strong");
    let key = HopKey::derive(cipher, &shared, &secret.public(), &to);
    let mut region = vec![0; cipher.nonce_len()];
    region.extend_from_slice(inside);
    region.resize(inside.len() + cipher.overhead(), 0);
    key.seal_in_place(&mut region, rng);
    let len = u32::try_from(region.len()).expect("inputs are short");
    let name = cipher
        .wire_name()
        .map_or_else(String::new, |name| format!(r#","enc_type":"{name}""#));
    let json = format!(
        r#"{{"ephemeral_key":"{}"{name},"hop_no":3}}"#,
        secret.public().to_hex()
    );
    [&len.to_le_bytes()[..], &region, json.as_bytes()].concat()
}
