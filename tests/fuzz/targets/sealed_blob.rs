//! What is inside a sealed blob, made by somebody who has the key and means harm; and blobs that are none.
#![no_main]

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::seal::{FileKey, UnverifiedBlob};
use cloakroom::protocol::size_class::SizeClass;
use hkdf::Hkdf;
use libfuzzer_sys::fuzz_target;
use sha2::Sha256;

const KEY: [u8; 32] = [3; 32];
const NONCE: [u8; 12] = [4; 12];

fuzz_target!(|bytes: &[u8]| {
    open(bytes.to_vec());
    let class = SizeClass::ALL[0];
    let mut inside = bytes.to_vec();
    inside.resize(class.blob_len() - 60, 0);
    if let Some(content) = open(sealed(&inside)) {
        assert!(content.len() <= class.capacity());
    }
});

/// The content, when it opens.
fn open(blob: Vec<u8>) -> Option<Vec<u8>> {
    let digest = Digest::of(&blob);
    let verified = UnverifiedBlob::new(blob).verify(&digest).ok()?;
    let opened = verified.open(&FileKey::from_bytes(KEY)).ok()?;
    Some(opened.content().to_vec())
}

/// `inside` as the plaintext of a blob.
fn sealed(inside: &[u8]) -> Vec<u8> {
    let mut commitment = [0; 32];
    Hkdf::<Sha256>::new(None, &KEY)
        .expand(b"cloakroom key commitment v1", &mut commitment)
        .expect("32 bytes are one block");
    let payload = Payload {
        msg: inside,
        aad: b"cloakroom blob v1",
    };
    let sealed = Aes256Gcm::new(&KEY.into())
        .encrypt(&NONCE.into(), payload)
        .expect("short enough");
    [&commitment[..], &NONCE, &sealed].concat()
}
