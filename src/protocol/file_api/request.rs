//! What a client asks of a file server: method, path and headers, both ways.

use thiserror::Error;

use super::MAX_RECEIPTS;
use crate::protocol::address::FileId;
use crate::protocol::capability::{AccessWord, DownloadReceipt, OwnerHash, OwnerToken};
use crate::protocol::keys::Ed25519Public;
use crate::protocol::onion::v4::{Headers, RequestHead};

/// What a client asks of a file server.
pub enum FileRequest {
    /// `DELETE /file/{id}`.
    Delete {
        /// The file.
        id: FileId,
        /// Token of the file's owner.
        token: OwnerToken,
    },
    /// `GET /file/{id}`.
    Download(FileId),
    /// `POST /file/{id}/extend`.
    Extend {
        /// The file.
        id: FileId,
        /// Until when it should be kept at least; the server's default from now on when absent.
        expiry: Option<Expiry>,
        /// Token of the file's owner; needed when the upload named an owner.
        token: Option<OwnerToken>,
    },
    /// `GET /file/{id}/info`.
    FileInfo(FileId),
    /// `POST /file/{id}/receipt`.
    Receipt {
        /// The file.
        id: FileId,
        /// Proof that the file was downloaded.
        receipt: DownloadReceipt,
    },
    /// `GET /relays`.
    RelayList,
    /// `GET /info`.
    ServerInfo,
    /// `POST /file/{id}/status`.
    Status {
        /// The file.
        id: FileId,
        /// Token of the file's owner.
        token: OwnerToken,
    },
    /// `POST /file`.
    Upload(Upload),
}

/// The parts of an upload.
pub struct Upload {
    /// The sealed bytes; the server cannot tell what they are.
    pub blob: Vec<u8>,
    /// Until when it should be kept; the server's default from now on when absent.
    pub expiry: Option<Expiry>,
    /// The hash of the token that may manage the file later. With it the id follows from expiry hour, owner and blob.
    pub owner: Option<OwnerHash>,
    /// Whether downloads are counted, and how many are allowed.
    pub receipts: Option<ReceiptTerms>,
    /// The operator's word.
    pub access: Option<AccessWord>,
    /// The number that is enough work.
    pub work: Option<u64>,
}

/// Until when a file should be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Until the beginning of this hour (since 1970, UTC). Goes to servers that list
    /// [`EXPIRY_HOUR_FEATURE`](super::EXPIRY_HOUR_FEATURE).
    AtHour(u32),
    /// For so many seconds from when the server reads it, as Session's clients say it.
    InSecs(u64),
}

impl Expiry {
    fn header(self) -> (String, String) {
        match self {
            Self::AtHour(hour) => (EXPIRES_HOUR.to_owned(), hour.to_string()),
            Self::InSecs(secs) => (TTL.to_owned(), secs.to_string()),
        }
    }

    fn parse(head: &RequestHead) -> Result<Option<Self>, RequestError> {
        match (header(head, EXPIRES_HOUR), header(head, TTL)) {
            (None, None) => Ok(None),
            (Some(hour), None) => {
                let hour = u32::try_from(number(hour)?).map_err(|_far| RequestError::BadHeader)?;
                Ok(Some(Self::AtHour(hour)))
            }
            (None, Some(secs)) => Ok(Some(Self::InSecs(number(secs)?))),
            (Some(_), Some(_)) => Err(RequestError::BadHeader),
        }
    }
}

/// What a server is told about download receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiptTerms {
    /// What receipts are verified with.
    pub key: Ed25519Public,
    /// The file goes with so many downloads, 1 to [`MAX_RECEIPTS`]; absent when they are only counted (0 on the wire).
    pub max_downloads: Option<u32>,
}

/// Why a server refuses to look at a request.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum RequestError {
    /// A header has an impossible value.
    #[error("bad header")]
    BadHeader,
    /// The path exists, but not with this method.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// No such path; also an owner's request without a token, which is answered like an unknown id.
    #[error("not found")]
    NotFound,
}

/// The status a server answers a request with that it cannot read.
#[must_use]
pub const fn refusal(error: RequestError) -> u16 {
    match error {
        RequestError::BadHeader => 400,
        RequestError::MethodNotAllowed => 405,
        RequestError::NotFound => 404,
    }
}

impl FileRequest {
    /// Method, endpoint and headers.
    #[must_use]
    pub fn head(&self) -> RequestHead {
        let file = |id: &FileId, rest: &str| format!("/file/{}{rest}", id.as_str());
        let (method, endpoint, headers) = match self {
            Self::Delete { id, token } => ("DELETE", file(id, ""), vec![token_header(token)]),
            Self::Download(id) => ("GET", file(id, ""), Headers::new()),
            Self::Extend { id, expiry, token } => {
                let expiry = expiry.map(Expiry::header);
                let headers = expiry.into_iter().chain(token.as_ref().map(token_header));
                ("POST", file(id, EXTEND), headers.collect())
            }
            Self::FileInfo(id) => ("GET", file(id, INFO), Headers::new()),
            Self::Receipt { id, receipt } => (
                "POST",
                file(id, RECEIPT),
                vec![(RECEIPT_HEADER.to_owned(), receipt.to_hex())],
            ),
            Self::RelayList => ("GET", "/relays".to_owned(), Headers::new()),
            Self::ServerInfo => ("GET", "/info".to_owned(), Headers::new()),
            Self::Status { id, token } => ("POST", file(id, STATUS), vec![token_header(token)]),
            Self::Upload(upload) => ("POST", "/file".to_owned(), upload.headers()),
        };
        RequestHead {
            method: method.to_owned(),
            endpoint,
            headers,
        }
    }

    /// The body; empty for everything but an upload.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        match self {
            Self::Upload(upload) => &upload.blob,
            _ => &[],
        }
    }

    /// Whether the request is about one file, and not about the server itself.
    #[must_use]
    pub(crate) const fn names_file(&self) -> bool {
        !matches!(self, Self::RelayList | Self::ServerInfo)
    }

    /// Reads a request as a server does.
    ///
    /// # Errors
    /// [`RequestError`], which [`refusal`] turns into an answer.
    pub fn parse(head: &RequestHead, body: Vec<u8>) -> Result<Self, RequestError> {
        let path = head.endpoint.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path
            .strip_prefix('/')
            .ok_or(RequestError::NotFound)?
            .split('/')
            .collect();
        let id = |text: &str| FileId::parse(text).map_err(|_why| RequestError::NotFound);
        let request = match (head.method.as_str(), parts.as_slice()) {
            ("GET", ["info"]) => Self::ServerInfo,
            ("GET", ["relays"]) => Self::RelayList,
            ("POST", ["file"]) => Self::Upload(Upload::parse(head, body)?),
            ("GET", ["file", file]) => Self::Download(id(file)?),
            ("DELETE", ["file", file]) => Self::Delete {
                id: id(file)?,
                token: token(head)?.ok_or(RequestError::NotFound)?,
            },
            ("GET", ["file", file, "info"]) => Self::FileInfo(id(file)?),
            ("POST", ["file", file, "extend"]) => Self::Extend {
                id: id(file)?,
                expiry: Expiry::parse(head)?,
                token: token(head)?,
            },
            ("POST", ["file", file, "receipt"]) => Self::Receipt {
                id: id(file)?,
                receipt: header(head, RECEIPT_HEADER)
                    .and_then(DownloadReceipt::from_hex)
                    .ok_or(RequestError::BadHeader)?,
            },
            ("POST", ["file", file, "status"]) => Self::Status {
                id: id(file)?,
                token: token(head)?.ok_or(RequestError::NotFound)?,
            },
            (_, ["info" | "relays" | "file"]) => return Err(RequestError::MethodNotAllowed),
            (_, ["file", file] | ["file", file, "info" | "extend" | "receipt" | "status"]) => {
                id(file)?;
                return Err(RequestError::MethodNotAllowed);
            }
            _ => return Err(RequestError::NotFound),
        };
        Ok(request)
    }
}

impl Upload {
    /// A blob that the server may keep for its default time, with nothing asked of it.
    #[must_use]
    pub const fn new(blob: Vec<u8>) -> Self {
        Self {
            blob,
            expiry: None,
            owner: None,
            receipts: None,
            access: None,
            work: None,
        }
    }

    fn headers(&self) -> Headers {
        let receipts = self.receipts.as_ref();
        let headers = [
            (OWNER, self.owner.map(|owner| owner.to_hex())),
            (RECEIPT_HEADER, receipts.map(|terms| terms.key.to_hex())),
            (
                MAX_DOWNLOADS,
                receipts.map(|terms| terms.max_downloads.unwrap_or(0).to_string()),
            ),
            (
                ACCESS,
                self.access.as_ref().map(|word| word.as_str().to_owned()),
            ),
            (WORK, self.work.map(|work| work.to_string())),
        ];
        let others = headers
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let expiry = self.expiry.map(Expiry::header);
        expiry.into_iter().chain(others).collect()
    }

    fn parse(head: &RequestHead, blob: Vec<u8>) -> Result<Self, RequestError> {
        let key = header(head, RECEIPT_HEADER)
            .map(|text| Ed25519Public::from_hex(text).map_err(|_why| RequestError::BadHeader))
            .transpose()?;
        let max_downloads = header(head, MAX_DOWNLOADS).map(number).transpose()?;
        let receipts = match (key, max_downloads) {
            (None, None) => None,
            (None, Some(_)) => return Err(RequestError::BadHeader),
            (Some(key), max_downloads) => Some(ReceiptTerms {
                key,
                max_downloads: match max_downloads {
                    None | Some(0) => None,
                    Some(max) => Some(
                        u32::try_from(max)
                            .ok()
                            .filter(|max| *max <= MAX_RECEIPTS)
                            .ok_or(RequestError::BadHeader)?,
                    ),
                },
            }),
        };
        Ok(Self {
            blob,
            expiry: Expiry::parse(head)?,
            owner: header(head, OWNER)
                .map(|text| OwnerHash::from_hex(text).ok_or(RequestError::BadHeader))
                .transpose()?,
            receipts,
            access: header(head, ACCESS)
                .map(|text| AccessWord::parse(text).map_err(|_why| RequestError::BadHeader))
                .transpose()?,
            work: header(head, WORK).map(number).transpose()?,
        })
    }
}

fn header<'a>(head: &'a RequestHead, name: &str) -> Option<&'a str> {
    head.headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// Digits and nothing else.
fn number(text: &str) -> Result<u64, RequestError> {
    Some(text)
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .ok_or(RequestError::BadHeader)
}

fn token_header(token: &OwnerToken) -> (String, String) {
    (OWNER_TOKEN.to_owned(), token.to_hex().to_string())
}

/// A text that is no token is shown by nobody who has one.
fn token(head: &RequestHead) -> Result<Option<OwnerToken>, RequestError> {
    header(head, OWNER_TOKEN)
        .map(|text| OwnerToken::from_hex(text).ok_or(RequestError::NotFound))
        .transpose()
}

const EXTEND: &str = "/extend";
const INFO: &str = "/info";
const RECEIPT: &str = "/receipt";
const STATUS: &str = "/status";

const EXPIRES_HOUR: &str = "X-Expires-Hour";
const TTL: &str = "X-FS-TTL";
const OWNER: &str = "X-Owner";
const OWNER_TOKEN: &str = "X-Owner-Token";
const RECEIPT_HEADER: &str = "X-Receipt";
const MAX_DOWNLOADS: &str = "X-Max-Downloads";
const ACCESS: &str = "X-Access";
const WORK: &str = "X-Work";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::protocol::capability::receipt_key;
    use crate::protocol::seal::FileKey;

    fn id() -> FileId {
        FileId::parse("B5lQi2xLvfMLkxTipcUhKw").unwrap()
    }

    fn token() -> OwnerToken {
        OwnerToken::from_bytes([5; 32])
    }

    fn upload() -> Upload {
        Upload {
            expiry: Some(Expiry::AtHour(497_223)),
            owner: Some(token().hash()),
            receipts: Some(ReceiptTerms {
                key: receipt_key(&FileKey::from_bytes([1; 32])).public(),
                max_downloads: Some(3),
            }),
            access: Some(AccessWord::parse("open \"sesame\"").unwrap()),
            work: Some(u64::MAX),
            ..Upload::new(vec![1, 2])
        }
    }

    /// One of each, also those whose options are left out.
    fn all() -> Vec<FileRequest> {
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        vec![
            FileRequest::Delete {
                id: id(),
                token: token(),
            },
            FileRequest::Download(id()),
            FileRequest::Extend {
                id: id(),
                expiry: Some(Expiry::AtHour(497_224)),
                token: Some(token()),
            },
            FileRequest::Extend {
                id: id(),
                expiry: Some(Expiry::InSecs(7_200)),
                token: None,
            },
            FileRequest::Extend {
                id: id(),
                expiry: None,
                token: None,
            },
            FileRequest::FileInfo(id()),
            FileRequest::Receipt {
                id: id(),
                receipt: DownloadReceipt::make(&FileKey::from_bytes([1; 32]), &id(), rng),
            },
            FileRequest::RelayList,
            FileRequest::ServerInfo,
            FileRequest::Status {
                id: id(),
                token: token(),
            },
            FileRequest::Upload(Upload::new(vec![7])),
            FileRequest::Upload(Upload {
                expiry: Some(Expiry::InSecs(3_600)),
                ..Upload::new(vec![7])
            }),
            FileRequest::Upload(upload()),
            FileRequest::Upload(Upload {
                receipts: Some(ReceiptTerms {
                    key: receipt_key(&FileKey::from_bytes([1; 32])).public(),
                    max_downloads: None,
                }),
                ..Upload::new(vec![7])
            }),
        ]
    }

    #[test]
    fn requests_survive_the_wire() {
        for request in all() {
            let back = FileRequest::parse(&request.head(), request.body().to_vec()).unwrap();
            assert!(
                back.head() == request.head() && back.body() == request.body(),
                "{} {}",
                request.head().method,
                request.head().endpoint
            );
            assert_eq!(
                core::mem::discriminant(&back),
                core::mem::discriminant(&request)
            );
        }
    }

    #[test]
    fn the_headers_of_an_upload_are_those_of_the_page() {
        let headers = FileRequest::Upload(upload()).head().headers;
        let key = receipt_key(&FileKey::from_bytes([1; 32])).public();
        let expected = [
            ("X-Expires-Hour", "497223".to_owned()),
            ("X-Owner", token().hash().to_hex()),
            ("X-Receipt", key.to_hex()),
            ("X-Max-Downloads", "3".to_owned()),
            ("X-Access", "open \"sesame\"".to_owned()),
            ("X-Work", u64::MAX.to_string()),
        ];
        assert_eq!(
            headers,
            expected.map(|(name, value)| (name.to_owned(), value))
        );
        assert!(
            FileRequest::Upload(Upload::new(vec![1]))
                .head()
                .headers
                .is_empty(),
            "nothing is asked of a server that lists nothing"
        );
    }

    #[test]
    fn the_longest_headers_of_an_upload_stay_under_700_bytes() {
        let upload = Upload {
            expiry: Some(Expiry::InSecs(u64::MAX)),
            receipts: Some(ReceiptTerms {
                key: receipt_key(&FileKey::from_bytes([1; 32])).public(),
                max_downloads: Some(MAX_RECEIPTS),
            }),
            // The sign that JSON writes as two.
            access: Some(AccessWord::parse(&"\"".repeat(64)).unwrap()),
            ..upload()
        };
        let headers: serde_json::Map<_, _> = FileRequest::Upload(upload)
            .head()
            .headers
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        assert_eq!(headers.len(), 6);
        let len = serde_json::to_vec(&headers).unwrap().len();
        assert!(len < 700, "{len}");
    }

    fn parse(method: &str, endpoint: &str, headers: &[(&str, &str)]) -> Option<RequestError> {
        let head = RequestHead {
            method: method.to_owned(),
            endpoint: endpoint.to_owned(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        FileRequest::parse(&head, vec![]).err()
    }

    #[test]
    fn unknown_paths_and_methods_are_told_apart() {
        for path in [
            "/nothing",
            "/file/../../etc",
            "/file/a%2fb",
            "/file/abc/",
            "/file/abc/nothing",
            "/file/abc/info/more",
            "/relays/x",
            "file",
            "",
        ] {
            for method in ["GET", "POST", "DELETE"] {
                assert_eq!(
                    parse(method, path, &[]),
                    Some(RequestError::NotFound),
                    "{method} {path}"
                );
            }
        }
        for (method, path) in [
            ("DELETE", "/info"),
            ("POST", "/relays"),
            ("GET", "/file"),
            ("PUT", "/file/abc"),
            ("POST", "/file/abc"),
            ("POST", "/file/abc/info"),
            ("GET", "/file/abc/extend"),
            ("GET", "/file/abc/receipt"),
            ("GET", "/file/abc/status"),
            ("get", "/info"),
        ] {
            assert_eq!(
                parse(method, path, &[]),
                Some(RequestError::MethodNotAllowed),
                "{method} {path}"
            );
        }
    }

    #[test]
    fn headers_that_cannot_be_meant_are_bad() {
        let key = receipt_key(&FileKey::from_bytes([1; 32])).public().to_hex();
        let long = "x".repeat(65);
        for headers in [
            &[("x-fs-ttl", "-1")][..],
            &[("X-FS-TTL", "+1")],
            &[("X-FS-TTL", "")],
            &[("X-FS-TTL", "1h")],
            &[("X-FS-TTL", "18446744073709551616")],
            &[("X-Expires-Hour", "4294967296")],
            &[("X-Expires-Hour", "-1")],
            &[("X-Expires-Hour", "497223"), ("X-FS-TTL", "3600")],
            &[("X-Owner", "zz")],
            &[("X-Receipt", "zz")],
            &[("X-Receipt", &"00".repeat(32))],
            &[("X-Max-Downloads", "1")],
            &[("X-Max-Downloads", "0")],
            &[("X-Receipt", &key), ("X-Max-Downloads", "301")],
            &[("X-Receipt", &key), ("X-Max-Downloads", "4294967297")],
            &[("X-Receipt", &key), ("X-Max-Downloads", "x")],
            &[("X-Access", "")],
            &[("X-Access", &long)],
            &[("X-Work", "-1")],
        ] {
            assert_eq!(
                parse("POST", "/file", headers),
                Some(RequestError::BadHeader),
                "{headers:?}"
            );
        }
        assert_eq!(
            parse(
                "POST",
                "/file",
                &[("x-receipt", &key), ("x-max-downloads", "300")]
            ),
            None
        );
        for headers in [&[][..], &[("X-Receipt", key.as_str())]] {
            assert_eq!(
                parse("POST", "/file/abc/receipt", headers),
                Some(RequestError::BadHeader)
            );
        }
        for name in ["X-FS-TTL", "X-Expires-Hour"] {
            assert_eq!(
                parse("POST", "/file/abc/extend", &[(name, "soon")]),
                Some(RequestError::BadHeader)
            );
        }
    }

    #[test]
    fn an_owners_request_without_a_token_looks_like_one_about_an_unknown_file() {
        for (method, path) in [("DELETE", "/file/abc"), ("POST", "/file/abc/status")] {
            for headers in [&[][..], &[("X-Owner-Token", "zz")]] {
                assert_eq!(parse(method, path, headers), Some(RequestError::NotFound));
            }
        }
        let bad = [("X-Owner-Token", "zz")];
        assert_eq!(
            parse("POST", "/file/abc/extend", &bad),
            Some(RequestError::NotFound)
        );
    }

    proptest! {
        #[test]
        fn no_request_panics(
            method in "GET|POST|DELETE|.{0,4}",
            endpoint in "/(file|info|relays|.{0,4})(/[a-zA-Z0-9_-]{0,8}){0,2}(/(info|extend|receipt|status))?|.{0,40}",
            headers in proptest::collection::vec(
                ("(?i)X-(FS-TTL|Expires-Hour|Owner|Owner-Token|Receipt|Max-Downloads|Access|Work)|.{0,5}", "[0-9a-f]{0,200}|.{0,80}"),
                0..5,
            ),
        ) {
            let head = RequestHead { method, endpoint, headers };
            if let Ok(request) = FileRequest::parse(&head, vec![1]) {
                let again = FileRequest::parse(&request.head(), request.body().to_vec());
                prop_assert!(again.is_ok_and(|again| again.head() == request.head()));
            }
        }
    }
}
