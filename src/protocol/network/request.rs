//! What a relay asks of a network's server, and what the server answers. Both are sealed as any other request to the server,
//! and travel straight: the address of a relay is no secret.
//!
//! * `GET /relays/address` → `{"address":"203.0.113.7"}`, from where the server sees the relay.
//! * `POST /relays/join`, header `X-Join` (32 hex digits), a [`SignedAnnouncement`] as its body →
//!   `{"join":"listed"}`, `{"join":"waiting"}`, or with status 403 `{"join":"refused","why":"address_taken"}`.

use core::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::announcement::SignedAnnouncement;
use super::register::{Admitted, JoinRefused};
use crate::protocol::capability::JoinWord;
use crate::protocol::file_api::RequestError;
use crate::protocol::onion::v4::{Headers, RequestHead, Response};

/// What a relay asks of a network's server.
pub enum RelayRequest {
    /// From which address the server sees this relay.
    Address,
    /// To be listed, or to stay so.
    Join {
        /// The join word; not needed by a relay that the network knows.
        word: Option<JoinWord>,
        /// The announcement as it travels, not read yet.
        body: Vec<u8>,
    },
}

impl RelayRequest {
    /// The request of a relay that announces itself.
    #[must_use]
    pub fn join(word: JoinWord, announcement: &SignedAnnouncement) -> Self {
        Self::Join {
            word: Some(word),
            body: announcement.to_json().into_bytes(),
        }
    }

    /// Method, path and headers.
    #[must_use]
    pub fn head(&self) -> RequestHead {
        let (method, endpoint, headers) = match self {
            Self::Address => ("GET", ADDRESS_ENDPOINT, Headers::new()),
            Self::Join { word, .. } => {
                let word = word.iter();
                let header = |word: &JoinWord| (JOIN.to_owned(), word.to_hex().to_string());
                ("POST", JOIN_ENDPOINT, word.map(header).collect())
            }
        };
        RequestHead {
            method: method.to_owned(),
            endpoint: endpoint.to_owned(),
            headers,
        }
    }

    /// The body; empty for everything but an announcement.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        match self {
            Self::Address => &[],
            Self::Join { body, .. } => body,
        }
    }

    /// Whether a request with this head is of a relay: [`Self::parse`] reads it then.
    #[must_use]
    pub fn is_meant_by(head: &RequestHead) -> bool {
        [ADDRESS_ENDPOINT, JOIN_ENDPOINT].contains(&head.endpoint.as_str())
    }

    /// Reads a request as a server does.
    ///
    /// # Errors
    /// [`RequestError`], which [`refusal`](crate::protocol::file_api::refusal) turns into an answer.
    pub fn parse(head: &RequestHead, body: Vec<u8>) -> Result<Self, RequestError> {
        match (head.method.as_str(), head.endpoint.as_str()) {
            ("GET", ADDRESS_ENDPOINT) => Ok(Self::Address),
            ("POST", JOIN_ENDPOINT) => {
                let header = head.headers.iter().find(|(name, _)| {
                    // Names of headers have no case.
                    name.eq_ignore_ascii_case(JOIN)
                });
                Ok(Self::Join {
                    // What is no word is no right one either.
                    word: header.and_then(|(_, word)| JoinWord::from_hex(word)),
                    body,
                })
            }
            (_, ADDRESS_ENDPOINT | JOIN_ENDPOINT) => Err(RequestError::MethodNotAllowed),
            _ => Err(RequestError::NotFound),
        }
    }
}

/// The answer to an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinAnswer {
    /// The relay belongs to the network, or waits for approval.
    Admitted(Admitted),
    /// It does not join now.
    Refused(JoinRefused),
}

#[derive(Serialize, Deserialize)]
struct JoinJson {
    join: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct AddressJson {
    address: IpAddr,
}

impl JoinAnswer {
    /// The answer as it is sealed.
    #[must_use]
    pub fn to_response(self) -> Response {
        let (code, join, why) = match self {
            Self::Admitted(Admitted::Listed) => (200, LISTED, None),
            Self::Admitted(Admitted::Waiting) => (200, WAITING, None),
            Self::Refused(why) => (403, REFUSED, Some(name_of(why).to_owned())),
        };
        let join = join.to_owned();
        json(code, &JoinJson { join, why })
    }

    /// Reads an answer; `None` when it is none that this version understands.
    #[must_use]
    pub fn read(response: &Response) -> Option<Self> {
        let json: JoinJson = parse(response)?;
        match (json.join.as_str(), json.why.as_deref()) {
            (LISTED, None) => Some(Self::Admitted(Admitted::Listed)),
            (WAITING, None) => Some(Self::Admitted(Admitted::Waiting)),
            (REFUSED, Some(why)) => {
                let known = REASONS.iter().find(|reason| name_of(**reason) == why);
                known.copied().map(Self::Refused)
            }
            _ => None,
        }
    }
}

/// The answer to a relay that asks from which address it is seen.
#[must_use]
pub fn address_response(address: IpAddr) -> Response {
    json(200, &AddressJson { address })
}

/// Reads the answer to a relay that asked from which address it is seen; `None` when it is none.
#[must_use]
pub fn read_address(response: &Response) -> Option<IpAddr> {
    let json: AddressJson = parse(response).filter(|_| response.code == 200)?;
    Some(json.address)
}

fn json(code: u16, value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("plain fields serialise");
    Response {
        code,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.into(),
    }
}

fn parse<'a, T: Deserialize<'a>>(response: &'a Response) -> Option<T> {
    let fits = response.body.len() <= MAX_ANSWER_LEN;
    fits.then(|| serde_json::from_slice(&response.body).ok())?
}

/// A reason as it travels.
const fn name_of(why: JoinRefused) -> &'static str {
    match why {
        JoinRefused::AddressTaken => "address_taken",
        JoinRefused::Blocked => "blocked",
        JoinRefused::ClockAhead => "clock_ahead",
        JoinRefused::Full => "full",
        JoinRefused::NoneServes => "none_serves",
        JoinRefused::NotPublic => "not_public",
        JoinRefused::ProofFailed => "proof_failed",
        JoinRefused::Removed => "removed",
        JoinRefused::Stale => "stale",
        JoinRefused::SubnetFull => "subnet_full",
        JoinRefused::TooSoon => "too_soon",
        JoinRefused::WrongWord => "wrong_word",
    }
}

const REASONS: [JoinRefused; 12] = [
    JoinRefused::AddressTaken,
    JoinRefused::Blocked,
    JoinRefused::ClockAhead,
    JoinRefused::Full,
    JoinRefused::NoneServes,
    JoinRefused::NotPublic,
    JoinRefused::ProofFailed,
    JoinRefused::Removed,
    JoinRefused::Stale,
    JoinRefused::SubnetFull,
    JoinRefused::TooSoon,
    JoinRefused::WrongWord,
];

const ADDRESS_ENDPOINT: &str = "/relays/address";
const JOIN_ENDPOINT: &str = "/relays/join";
const JOIN: &str = "X-Join";
const LISTED: &str = "listed";
const WAITING: &str = "waiting";
const REFUSED: &str = "refused";
const MAX_ANSWER_LEN: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_read_as_it_was_written() {
        let refused = REASONS.map(JoinAnswer::Refused);
        let admitted = [Admitted::Listed, Admitted::Waiting].map(JoinAnswer::Admitted);
        for answer in refused.into_iter().chain(admitted) {
            assert_eq!(JoinAnswer::read(&answer.to_response()), Some(answer));
        }
        for body in [
            "",
            "{}",
            r#"{"join":"refused"}"#,
            r#"{"join":"refused","why":"mood"}"#,
        ] {
            let response = Response {
                code: 403,
                headers: Headers::new(),
                body: body.as_bytes().to_vec().into(),
            };
            assert_eq!(JoinAnswer::read(&response), None, "{body}");
            assert_eq!(read_address(&response), None, "{body}");
        }
        let address = IpAddr::from([0x2a00, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(read_address(&address_response(address)), Some(address));
    }

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let word = JoinWord::from_bytes([7; 16]);
        let join = RelayRequest::Join {
            word: Some(word.clone()),
            body: b"entry".to_vec(),
        };
        let head = join.head();
        assert!(RelayRequest::is_meant_by(&head));
        let read = RelayRequest::parse(&head, join.body().to_vec());
        let Ok(RelayRequest::Join { word: found, body }) = read else {
            panic!("another request was read");
        };
        assert_eq!((found, body), (Some(word), b"entry".to_vec()));
        let address = RelayRequest::Address;
        let read = RelayRequest::parse(&address.head(), Vec::new());
        assert!(matches!(read, Ok(RelayRequest::Address)));

        let mut head = join.head();
        head.headers[0].1 = "no word".to_owned();
        let read = RelayRequest::parse(&head, Vec::new());
        assert!(matches!(read, Ok(RelayRequest::Join { word: None, .. })));
        head.method = "GET".to_owned();
        let refused = RelayRequest::parse(&head, Vec::new()).err();
        assert_eq!(refused, Some(RequestError::MethodNotAllowed));
        head.endpoint = "/relays".to_owned();
        assert!(!RelayRequest::is_meant_by(&head));
    }
}
