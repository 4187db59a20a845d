//! Onion requests as Session's programs write them: no filling, keys in hex of either case, headers of their own.

use cloakroom::protocol::address::ServerAddress;
use cloakroom::protocol::keys::{X25519Public, X25519Secret};
use cloakroom::protocol::onion::HopCipher;
use cloakroom::protocol::onion::hop_cipher::HopKey;
use cloakroom::protocol::relay_list::RelayDescriptor;
use cloakroom::wire::random;
use serde_json::Value;

/// A request and what opens its answer.
pub(crate) struct SessionRequest {
    /// What is posted.
    pub(crate) body: Vec<u8>,
    key: HopKey,
}

/// How a program writes its onion requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialect {
    pub(crate) cipher: HopCipher,
    pub(crate) upper_case_hex: bool,
}

impl SessionRequest {
    /// A request for `to` itself; `meta` is the JSON with endpoint, method and headers.
    pub(crate) fn new(
        to: &ServerAddress,
        cipher: HopCipher,
        meta: &str,
        body: Option<&[u8]>,
    ) -> Self {
        let dialect = Dialect {
            cipher,
            upper_case_hex: false,
        };
        Self::in_dialect(dialect, to, meta, body)
    }

    pub(crate) fn in_dialect(
        dialect: Dialect,
        to: &ServerAddress,
        meta: &str,
        body: Option<&[u8]>,
    ) -> Self {
        let mut text = format!("l{}:{meta}", meta.len()).into_bytes();
        if let Some(body) = body {
            text.extend_from_slice(format!("{}:", body.len()).as_bytes());
            text.extend_from_slice(body);
        }
        text.push(b'e');
        let sealed = Sealed::new(dialect.cipher, &to.key.to_x25519(), &text);
        let (_, authority) = to.url.as_str().split_once("://").unwrap();
        let (host, port) = authority.split_once(':').unwrap_or((authority, "80"));
        let json = format!(
            r#"{{"host":"{host}","port":{port},"protocol":"http","target":"/oxen/v4/lsrpc","method":"POST",{}}}"#,
            dialect.opened_with(&sealed.ephemeral),
        );
        Self {
            body: sealed.in_envelope(&json),
            key: sealed.key,
        }
    }

    /// The same request for the first of `relays`, which stand in the order of the path.
    pub(crate) fn through(mut self, relays: &[RelayDescriptor], dialect: Dialect) -> Self {
        for (at, relay) in relays.iter().enumerate().rev() {
            let sealed = Sealed::new(dialect.cipher, &relay.key.to_x25519(), &self.body);
            let opened_with = dialect.opened_with(&sealed.ephemeral);
            let json = if at == 0 {
                format!("{{{opened_with}}}")
            } else {
                let key = dialect.hex(relay.key.to_hex());
                format!(r#"{{"destination":"{key}",{opened_with}}}"#)
            };
            self.body = sealed.in_envelope(&json);
        }
        self
    }

    /// Opens the answer, which no relay has changed.
    pub(crate) fn open(&self, mut answer: Vec<u8>) -> SessionAnswer {
        let len = answer.len();
        let text = self.key.open_in_place(&mut answer, 0..len).unwrap();
        SessionAnswer::parse(&answer[text])
    }
}

impl Dialect {
    fn hex(self, text: String) -> String {
        if self.upper_case_hex {
            text.to_uppercase()
        } else {
            text
        }
    }

    /// The members of a layer that say how the bytes in front of them open.
    fn opened_with(self, ephemeral: &X25519Public) -> String {
        let enc_type = match self.cipher {
            HopCipher::AesGcm => "",
            HopCipher::XChaCha20 => r#""enc_type":"xchacha20","#,
        };
        let key = self.hex(ephemeral.to_hex());
        format!(r#"{enc_type}"ephemeral_key":"{key}""#)
    }
}

/// Bytes sealed to one party.
struct Sealed {
    bytes: Vec<u8>,
    ephemeral: X25519Public,
    key: HopKey,
}

impl Sealed {
    fn new(cipher: HopCipher, to: &X25519Public, text: &[u8]) -> Self {
        let secret = X25519Secret::generate(&mut random::system());
        let ephemeral = secret.public();
        let key = HopKey::derive(cipher, &secret.agree(to).unwrap(), &ephemeral, to);
        let mut bytes = vec![0; cipher.nonce_len()];
        bytes.extend_from_slice(text);
        bytes.resize(text.len() + cipher.overhead(), 0);
        key.seal_in_place(&mut bytes, &mut random::system());
        Self {
            bytes,
            ephemeral,
            key,
        }
    }

    fn in_envelope(&self, json: &str) -> Vec<u8> {
        let len = u32::try_from(self.bytes.len()).unwrap();
        [&len.to_le_bytes(), &self.bytes[..], json.as_bytes()].concat()
    }
}

/// What was sealed in an answer.
pub(crate) struct SessionAnswer {
    pub(crate) code: u64,
    pub(crate) headers: Value,
    pub(crate) body: Vec<u8>,
}

impl SessionAnswer {
    /// Exactly two bencoded strings.
    fn parse(bytes: &[u8]) -> Self {
        let string = |bytes: &[u8]| {
            let colon = bytes.iter().position(|byte| *byte == b':').unwrap();
            let len: usize = std::str::from_utf8(&bytes[..colon])
                .unwrap()
                .parse()
                .unwrap();
            (bytes[colon + 1..colon + 1 + len].to_vec(), colon + 1 + len)
        };
        assert_eq!((bytes[0], bytes[bytes.len() - 1]), (b'l', b'e'));
        let (meta, first) = string(&bytes[1..]);
        let (body, second) = string(&bytes[1 + first..]);
        assert_eq!(1 + first + second + 1, bytes.len());
        let meta: Value = serde_json::from_slice(&meta).unwrap();
        Self {
            code: meta["code"].as_u64().unwrap(),
            headers: meta["headers"].clone(),
            body,
        }
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }
}
