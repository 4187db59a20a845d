//! Requests and answers of the file server, as values: what the client sends is what the server reads.
//!
//! The paths, headers and texts are those of Session's file server, with additions of our own: the owner of an upload
//! (`X-Owner`), size and digest in the answer to it, and `GET /info`.

use core::time::Duration;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::address::FileId;
use super::capability::OwnerHash;
use super::digest::Digest;
use super::onion::v4::{Headers, RequestHead, Response};
use super::size_class::SizeClass;

/// What a client asks of a file server.
pub enum FileRequest {
    /// `GET /file/{id}`.
    Download(FileId),
    /// `GET /file/{id}/info`.
    FileInfo(FileId),
    /// `GET /info`.
    ServerInfo,
    /// `POST /file`.
    Upload(Upload),
}

/// The parts of an upload.
pub struct Upload {
    /// The sealed bytes; the server cannot tell what they are.
    pub blob: Vec<u8>,
    /// How long it should be kept, in seconds; the server's default when absent.
    pub ttl_secs: Option<u64>,
    /// Who may manage it later; with it the id follows from owner and blob.
    pub owner: Option<OwnerHash>,
}

/// Why a server refuses to look at a request.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum RequestError {
    /// A header has a value that cannot be meant.
    #[error("bad header")]
    BadHeader,
    /// The path exists, but not with this method.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// No such path.
    #[error("not found")]
    NotFound,
}

impl FileRequest {
    /// Method, endpoint and headers.
    #[must_use]
    pub fn head(&self) -> RequestHead {
        let (method, endpoint, headers) = match self {
            Self::Download(id) => ("GET", format!("/file/{}", id.as_str()), Headers::new()),
            Self::FileInfo(id) => ("GET", format!("/file/{}/info", id.as_str()), Headers::new()),
            Self::ServerInfo => ("GET", "/info".to_owned(), Headers::new()),
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
            Self::Download(_) | Self::FileInfo(_) | Self::ServerInfo => &[],
        }
    }

    /// Reads a request as a server does.
    ///
    /// # Errors
    /// [`RequestError`], which [`refusal`] turns into an answer.
    pub fn parse(head: &RequestHead, body: Vec<u8>) -> Result<Self, RequestError> {
        let path = head.endpoint.split('?').next().unwrap_or_default();
        let mut parts = path
            .strip_prefix('/')
            .ok_or(RequestError::NotFound)?
            .split('/');
        let request = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("info"), None, None, None) => (Self::ServerInfo, "GET"),
            (Some("file"), None, None, None) => (Self::Upload(Upload::parse(head, body)?), "POST"),
            (Some("file"), Some(id), None, None) => (Self::Download(parse_id(id)?), "GET"),
            (Some("file"), Some(id), Some("info"), None) => (Self::FileInfo(parse_id(id)?), "GET"),
            _ => return Err(RequestError::NotFound),
        };
        if head.method == request.1 {
            Ok(request.0)
        } else {
            Err(RequestError::MethodNotAllowed)
        }
    }
}

impl Upload {
    fn headers(&self) -> Headers {
        let mut headers = Headers::new();
        if let Some(ttl) = self.ttl_secs {
            headers.push((TTL_HEADER.to_owned(), ttl.to_string()));
        }
        if let Some(owner) = &self.owner {
            headers.push((OWNER_HEADER.to_owned(), owner.to_hex()));
        }
        headers
    }

    fn parse(head: &RequestHead, blob: Vec<u8>) -> Result<Self, RequestError> {
        let header = |name: &str| {
            head.headers
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_str())
        };
        let ttl_secs = header(TTL_HEADER)
            .map(|text| text.parse().map_err(|_why| RequestError::BadHeader))
            .transpose()?;
        let owner = header(OWNER_HEADER)
            .map(|text| OwnerHash::from_hex(text).ok_or(RequestError::BadHeader))
            .transpose()?;
        Ok(Self {
            blob,
            ttl_secs,
            owner,
        })
    }
}

fn parse_id(text: &str) -> Result<FileId, RequestError> {
    FileId::parse(text).map_err(|_why| RequestError::NotFound)
}

/// What a server answers.
pub enum FileAnswer {
    /// 200 with what `info` asks for.
    FileInfo(FileInfo),
    /// 200 with the blob.
    Found(Found),
    /// Anything else, by its status.
    Refused(u16),
    /// 200 with what the server is.
    ServerInfo(ServerInfo),
    /// 200 for an upload.
    Uploaded(Uploaded),
}

/// A stored blob on its way back.
pub struct Found {
    /// The bytes as uploaded.
    pub blob: Vec<u8>,
    /// Unix seconds; 0 when the server did not say.
    pub expires: u64,
}

/// The answer to an upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Uploaded {
    /// The blob's name at the server.
    pub id: String,
    /// Unix seconds; a float on the wire, as Session's clients expect.
    pub expires: f64,
    /// Bytes the server stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// SHA-256 of what the server stored, hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// The answer to `GET /file/{id}/info`; times are rounded to the hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileInfo {
    /// Bytes of the blob.
    pub size: u64,
    /// Unix seconds.
    pub uploaded: f64,
    /// Unix seconds.
    pub expires: f64,
}

/// The answer to `GET /info`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// The program.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The largest blob it stores, in bytes.
    pub max_blob: u64,
    /// How long a blob is kept when the upload does not say, in seconds.
    pub ttl_default: u64,
    /// The longest it may be kept, in seconds.
    pub ttl_max: u64,
    /// What it understands beyond Session's API.
    #[serde(default)]
    pub features: Vec<String>,
    /// Whether uploads need the operator's word.
    #[serde(default)]
    pub access_word: bool,
    /// Whether uploads need work.
    #[serde(default)]
    pub work: bool,
}

impl ServerInfo {
    /// Whether the server lists `feature`.
    #[must_use]
    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|listed| listed == feature)
    }
}

impl FileAnswer {
    /// The answer as it is sealed, and whether its body is a blob (which decides its length).
    #[must_use]
    pub fn into_response(self) -> (Response, bool) {
        match self {
            Self::FileInfo(info) => (json(200, &info), false),
            Self::Found(found) => {
                let headers = vec![
                    ("content-type".to_owned(), BLOB_TYPE.to_owned()),
                    ("expires".to_owned(), http_date(found.expires)),
                ];
                (
                    Response {
                        code: 200,
                        headers,
                        body: found.blob,
                    },
                    true,
                )
            }
            Self::Refused(code) => (json(code, &StatusBody { status_code: code }), false),
            Self::ServerInfo(info) => (json(200, &info), false),
            Self::Uploaded(uploaded) => (json(200, &uploaded), false),
        }
    }
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

/// An answer that is not what the request asked for.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum AnswerError {
    /// The server confirms another size or digest than was sent.
    #[error("the server confirms other bytes than were sent")]
    OtherBytes,
    /// A good status with a body that does not fit it.
    #[error("the server's answer cannot be read")]
    Unreadable,
    /// Any other status.
    #[error("the server answered {0}")]
    Status(u16),
}

/// Where an upload ended up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAt {
    /// The blob's name at the server.
    pub id: FileId,
    /// Unix seconds.
    pub expires: u64,
}

/// Reads the answer to an upload of `sent_len` bytes with digest `sent`; size and digest are compared when present.
///
/// # Errors
/// [`AnswerError`].
pub fn read_uploaded(
    response: &Response,
    sent_len: usize,
    sent: &Digest,
) -> Result<StoredAt, AnswerError> {
    let uploaded: Uploaded = read_json(response)?;
    let size_differs = uploaded
        .size
        .is_some_and(|size| usize::try_from(size) != Ok(sent_len));
    let digest_differs = uploaded
        .digest
        .as_deref()
        .is_some_and(|hex| Digest::from_hex(hex).as_ref() != Some(sent));
    if size_differs || digest_differs {
        return Err(AnswerError::OtherBytes);
    }
    let id = FileId::parse(&uploaded.id).map_err(|_why| AnswerError::Unreadable)?;
    Ok(StoredAt {
        id,
        expires: seconds(uploaded.expires).ok_or(AnswerError::Unreadable)?,
    })
}

/// Reads the answer to a download.
///
/// # Errors
/// [`AnswerError`]; a blob of none of the eight lengths is [`AnswerError::Unreadable`].
pub fn read_found(response: Response) -> Result<Vec<u8>, AnswerError> {
    if response.code != 200 {
        return Err(AnswerError::Status(response.code));
    }
    let len = u64::try_from(response.body.len()).map_err(|_big| AnswerError::Unreadable)?;
    SizeClass::from_blob_len(len).ok_or(AnswerError::Unreadable)?;
    Ok(response.body)
}

/// Reads the answer to `GET /info`.
///
/// # Errors
/// [`AnswerError`].
pub fn read_server_info(response: &Response) -> Result<ServerInfo, AnswerError> {
    read_json(response)
}

fn read_json<T: for<'a> Deserialize<'a>>(response: &Response) -> Result<T, AnswerError> {
    if response.code != 200 {
        return Err(AnswerError::Status(response.code));
    }
    serde_json::from_slice(&response.body).map_err(|_why| AnswerError::Unreadable)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked before"
)]
fn seconds(value: f64) -> Option<u64> {
    (value.is_finite() && (0.0..=MAX_SECONDS).contains(&value)).then_some(value as u64)
}

fn json(code: u16, value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("plain fields serialise");
    Response {
        code,
        headers: vec![("content-type".to_owned(), JSON_TYPE.to_owned())],
        body,
    }
}

#[derive(Serialize)]
struct StatusBody {
    status_code: u16,
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
fn http_date(unix_secs: u64) -> String {
    httpdate::fmt_http_date(
        SystemTime::UNIX_EPOCH + Duration::from_secs(unix_secs.min(LAST_HTTP_SECOND)),
    )
}

/// The content type of every answer that is no blob; compared literally by Session's clients.
pub const JSON_TYPE: &str = "application/json";
/// The content type of a blob.
pub const BLOB_TYPE: &str = "application/octet-stream";
/// The feature a server lists that understands `X-Owner`.
pub const OWNER_FEATURE: &str = "owner";

const TTL_HEADER: &str = "X-FS-TTL";
const OWNER_HEADER: &str = "X-Owner";
/// The end of the year 9999.
const MAX_SECONDS: f64 = 253_402_300_799.0;
const LAST_HTTP_SECOND: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_found_blob_carries_its_expiry_as_http_writes_dates() {
        let (response, is_blob) = FileAnswer::Found(Found {
            blob: vec![1],
            expires: 784_111_777,
        })
        .into_response();
        assert!(is_blob);
        assert_eq!(
            response.header("expires"),
            Some("Sun, 06 Nov 1994 08:49:37 GMT")
        );
        assert_eq!(
            response.header("content-type"),
            Some("application/octet-stream")
        );
    }

    #[test]
    fn requests_survive_the_wire() {
        let owner = OwnerHash::from_hex(&"ab".repeat(32)).unwrap();
        let upload = FileRequest::Upload(Upload {
            blob: vec![1, 2],
            ttl_secs: Some(3_600),
            owner: Some(owner),
        });
        let Ok(FileRequest::Upload(back)) =
            FileRequest::parse(&upload.head(), upload.body().to_vec())
        else {
            panic!("an upload stays an upload");
        };
        assert_eq!((back.blob, back.ttl_secs), (vec![1, 2], Some(3_600)));
        assert_eq!(
            back.owner.map(|owner| owner.to_hex()),
            Some("ab".repeat(32))
        );

        let id = FileId::parse("B5lQi2xLvfMLkxTipcUhKw").unwrap();
        let back = FileRequest::parse(&FileRequest::Download(id.clone()).head(), vec![]);
        assert!(matches!(back, Ok(FileRequest::Download(found)) if found == id));
        let back = FileRequest::parse(&FileRequest::FileInfo(id.clone()).head(), vec![]);
        assert!(matches!(back, Ok(FileRequest::FileInfo(found)) if found == id));
        assert!(matches!(
            FileRequest::parse(&FileRequest::ServerInfo.head(), vec![]),
            Ok(FileRequest::ServerInfo)
        ));
    }

    #[test]
    fn unknown_paths_methods_and_headers_are_told_apart() {
        let parse = |method: &str, endpoint: &str, headers: &[(&str, &str)]| {
            let headers = headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            FileRequest::parse(
                &RequestHead {
                    method: method.to_owned(),
                    endpoint: endpoint.to_owned(),
                    headers,
                },
                vec![],
            )
            .err()
        };
        assert_eq!(parse("GET", "/nothing", &[]), Some(RequestError::NotFound));
        assert_eq!(
            parse("GET", "/file/../../etc", &[]),
            Some(RequestError::NotFound)
        );
        assert_eq!(
            parse("GET", "/file/a%2fb", &[]),
            Some(RequestError::NotFound)
        );
        assert_eq!(
            parse("DELETE", "/info", &[]),
            Some(RequestError::MethodNotAllowed)
        );
        assert_eq!(
            parse("POST", "/file", &[("x-fs-ttl", "-1")]),
            Some(RequestError::BadHeader)
        );
        assert_eq!(
            parse("POST", "/file", &[("X-Owner", "zz")]),
            Some(RequestError::BadHeader)
        );
    }

    #[test]
    fn an_upload_confirmed_with_other_bytes_is_refused() {
        let digest = Digest::of(b"sent");
        let uploaded = |size, digest: Digest| {
            FileAnswer::Uploaded(Uploaded {
                id: "abc".to_owned(),
                expires: 7.5,
                size: Some(size),
                digest: Some(digest.to_hex()),
            })
            .into_response()
            .0
        };
        assert_eq!(
            read_uploaded(&uploaded(4, digest), 4, &digest).map(|stored| stored.expires),
            Ok(7)
        );
        assert_eq!(
            read_uploaded(&uploaded(5, digest), 4, &digest),
            Err(AnswerError::OtherBytes)
        );
        assert_eq!(
            read_uploaded(&uploaded(4, Digest::of(b"other")), 4, &digest),
            Err(AnswerError::OtherBytes)
        );
    }

    #[test]
    fn a_session_servers_answer_without_size_and_digest_is_taken() {
        let response = Response {
            code: 200,
            headers: vec![],
            body: br#"{"id":"123","expires":1754863793.186}"#.to_vec(),
        };
        assert_eq!(
            read_uploaded(&response, 4, &Digest::of(b"sent")).map(|stored| stored.expires),
            Ok(1_754_863_793)
        );
    }
}
