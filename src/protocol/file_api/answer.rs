//! What a file server answers, and how it is written.

use core::fmt;
use core::time::Duration;
use std::time::SystemTime;

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::{BLOB_TYPE, JSON_TYPE, LONG_ANSWER_LEN};
use crate::protocol::capability::DownloadReceipt;
use crate::protocol::capability::expiry::HOUR_SECS;
use crate::protocol::capability::work::WorkAsked;
use crate::protocol::json::Text;
use crate::protocol::onion::v4::Response;
use crate::protocol::size_class::SizeClass;

/// What a server answers.
pub enum FileAnswer {
    /// 200: the file is gone.
    Deleted,
    /// 200 with what `info` would say now.
    Extended(FileInfo),
    /// 200 with what `info` asks for.
    FileInfo(FileInfo),
    /// 200 with the blob.
    Found(BlobAnswer),
    /// 200: the download is counted.
    ReceiptTaken,
    /// Anything else, by its status.
    Refused(u16),
    /// 200 with the relay list that the server mirrors.
    RelayList(SignedList),
    /// 200 with what the server is.
    ServerInfo(ServerInfo),
    /// 200 with what the owner asks.
    Status(FileStatus),
    /// 200 for an upload.
    Uploaded(Uploaded),
}

/// A stored blob on its way back.
pub struct BlobAnswer {
    /// The bytes as uploaded.
    pub blob: Vec<u8>,
    /// Unix seconds; 0 when the server did not say.
    pub expires: u64,
}

/// The answer to an upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Uploaded {
    /// The blob's name at the server. Session's file server can also write a number of up to 53 bits.
    #[serde(deserialize_with = "id")]
    pub id: String,
    /// Unix seconds; a float on the wire, as Session's clients expect. Session's file server of 2024 leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<f64>,
    /// Bytes the server stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// SHA-256 of what the server stored, hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// The answer to `GET /file/{id}/info` and to an extension; times are rounded to the hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileInfo {
    /// Bytes of the blob.
    pub size: u64,
    /// When the file was uploaded, in unix seconds.
    pub uploaded: f64,
    /// When the server forgets the file, in unix seconds.
    pub expires: f64,
}

/// What the owner is told about a file; also after its last allowed download, until it expires.
#[derive(Clone, PartialEq)]
pub struct FileStatus {
    /// Bytes of the blob.
    pub size: u64,
    /// When the file was uploaded, in unix seconds.
    pub uploaded: f64,
    /// When the server forgets the file, in unix seconds.
    pub expires: f64,
    /// Downloads allowed; 0 when they are only counted, or not even that.
    pub allowed: u32,
    /// The downloads that recipients told of.
    pub receipts: Vec<DownloadReceipt>,
}

/// [`FileStatus`] on the wire.
#[derive(Serialize)]
struct StatusOut {
    size: u64,
    uploaded: f64,
    expires: f64,
    allowed: u32,
    receipts: Vec<String>,
}

/// A relay list as a server mirrors it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedList {
    /// The exact text that was signed.
    pub list: String,
    /// Signature of the list, 128 hexadecimal digits.
    pub signature: String,
}

/// The answer to `GET /info`. What a newer server says beyond it is passed over. A new field needs a default for older
/// servers, a text at most 1,024 bytes, and a decision in [`ServerInfo::agrees_with`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// Name of the server's program.
    pub name: String,
    /// Version of the server's program.
    pub version: String,
    /// The largest blob it stores, in bytes.
    pub max_blob: u64,
    /// How long a blob is kept when the upload does not say, in seconds.
    pub ttl_default: u64,
    /// The longest it may be kept, in seconds.
    pub ttl_max: u64,
    /// Names of the additions to Session's API that the server has; at most 64 names of at most 64 bytes.
    #[serde(default, deserialize_with = "features")]
    pub features: Vec<String>,
    /// Whether uploads need the operator's word.
    #[serde(default)]
    pub access: bool,
    /// The work that uploads need; absent when none.
    #[serde(
        default,
        rename = "work_bits",
        skip_serializing_if = "WorkAsked::is_none"
    )]
    pub work: WorkAsked,
    /// The hour (since 1970, UTC) by the server's clock, so that a client whose clock differs notices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<u32>,
    /// The bytes that can still be stored, rounded down to whole GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free: Option<u64>,
}

/// Takes an id as text or as a whole number.
fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Id;
    impl Visitor<'_> for Id {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an id")
        }

        fn visit_str<E>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }

        fn visit_u64<E>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }
    }

    deserializer.deserialize_any(Id)
}

/// Takes the names that a feature could have, and passes over the others: nobody would look for them.
fn features<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Features;
    impl<'de> Visitor<'de> for Features {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("names of features")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<String>, A::Error> {
            let mut features = Vec::new();
            while let Some(Text(name)) = seq.next_element()? {
                if name.len() <= MAX_FEATURE_LEN && features.len() < MAX_FEATURES {
                    features.push(name.into_owned());
                }
            }
            Ok(features)
        }
    }

    deserializer.deserialize_seq(Features)
}

impl ServerInfo {
    /// Whether the server lists `feature`.
    #[must_use]
    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|listed| listed == feature)
    }

    /// Whether uploads need something that the server could ask differently of different people: an access word or work.
    #[must_use]
    pub fn asks_something(&self) -> bool {
        self.access || !self.work.is_none()
    }

    /// Whether `later`, asked `elapsed_secs` after this, says the same of the server, as far as every asker must be told
    /// the same: the version and the free bytes may differ, and the hours only by one from the time between.
    #[must_use]
    pub(crate) fn agrees_with(&self, later: &Self, elapsed_secs: u64) -> bool {
        let expected = Self {
            version: later.version.clone(),
            hour: later.hour,
            free: later.free,
            ..self.clone()
        };
        let hours_agree = match (self.hour, later.hour) {
            (None, None) => true,
            (Some(first), Some(second)) => {
                (u64::from(first) + elapsed_secs / HOUR_SECS).abs_diff(u64::from(second)) <= 1
            }
            _ => false,
        };
        expected == *later && hours_agree
    }
}

impl FileAnswer {
    /// The answer as it is sealed, and whether it has the length of a blob's. Status and relay list have the length of
    /// the smallest blob.
    #[must_use]
    pub fn into_response(self) -> (Response, bool) {
        match self {
            Self::Deleted | Self::ReceiptTaken => (json(200, &serde_json::json!({})), false),
            Self::Extended(info) | Self::FileInfo(info) => (json(200, &info), false),
            Self::Found(found) => {
                let headers = vec![
                    ("content-type".to_owned(), BLOB_TYPE.to_owned()),
                    ("expires".to_owned(), http_date(found.expires)),
                ];
                (
                    Response {
                        code: 200,
                        headers,
                        body: found.blob.into(),
                    },
                    true,
                )
            }
            Self::Refused(code) => (json(code, &StatusBody { status_code: code }), false),
            Self::RelayList(list) => long(json(200, &list)),
            Self::ServerInfo(info) => (json(200, &info), false),
            Self::Status(status) => long(json(
                200,
                &StatusOut {
                    size: status.size,
                    uploaded: status.uploaded,
                    expires: status.expires,
                    allowed: status.allowed,
                    receipts: status
                        .receipts
                        .iter()
                        .map(DownloadReceipt::to_hex)
                        .collect(),
                },
            )),
            Self::Uploaded(uploaded) => (json(200, &uploaded), false),
        }
    }
}

/// Spaces after the JSON make it as long as the smallest blob that holds it.
fn long(mut response: Response) -> (Response, bool) {
    let len = SizeClass::ALL
        .into_iter()
        .map(SizeClass::blob_len)
        .find(|len| *len >= response.body.len())
        .unwrap_or(response.body.len());
    debug_assert!(len >= LONG_ANSWER_LEN);
    response.body.resize(len, b' ');
    (response, true)
}

fn json(code: u16, value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("plain fields serialise");
    Response {
        code,
        headers: vec![("content-type".to_owned(), JSON_TYPE.to_owned())],
        body: body.into(),
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

const MAX_FEATURES: usize = 64;
const MAX_FEATURE_LEN: usize = 64;
/// The end of the year 9999.
const LAST_HTTP_SECOND: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> ServerInfo {
        ServerInfo {
            name: "cloakroom".to_owned(),
            version: "1".to_owned(),
            max_blob: 10_223_616,
            ttl_default: 86_400,
            ttl_max: 172_800,
            features: vec!["owner".to_owned()],
            access: false,
            work: WorkAsked::None,
            hour: Some(500_000),
            free: Some(1 << 30),
        }
    }

    #[test]
    fn what_a_server_asks_for_must_be_the_same_for_every_asker() {
        use crate::protocol::capability::work::WorkBase;

        type Change = fn(&mut ServerInfo);
        let changes: [(Change, bool); 12] = [
            (|_info| {}, true),
            (|info| info.version.push('1'), true),
            (|info| info.free = Some(0), true),
            (|info| info.hour = Some(500_001), true),
            (|info| info.hour = Some(500_002), false),
            (|info| info.hour = None, false),
            (|info| info.name.push('1'), false),
            (|info| info.max_blob -= 1, false),
            (|info| info.ttl_default -= 1, false),
            (|info| info.features.clear(), false),
            (|info| info.access = true, false),
            (|info| info.work = WorkAsked::Base(WorkBase::ALL[0]), false),
        ];
        for (at, (change, agrees)) in changes.into_iter().enumerate() {
            let mut other = info();
            change(&mut other);
            assert_eq!(info().agrees_with(&other, 30), agrees, "change {at}");
        }
        let mut later = info();
        later.hour = Some(500_021);
        assert!(info().agrees_with(&later, 20 * HOUR_SECS));
        assert!(!info().agrees_with(&later, 5 * HOUR_SECS));
    }

    #[test]
    fn a_found_blob_carries_its_expiry_as_http_writes_dates() {
        let (response, is_blob) = FileAnswer::Found(BlobAnswer {
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
    fn a_full_status_and_an_empty_one_have_the_length_of_the_smallest_blob() {
        let receipt = DownloadReceipt {
            nonce: [0xff; 16],
            signature: [0xff; 64],
        };
        for count in [0, super::super::MAX_RECEIPTS] {
            let status = FileStatus {
                size: 10_223_616,
                uploaded: 1.0,
                expires: 2.0,
                allowed: 300,
                receipts: vec![receipt.clone(); usize::try_from(count).unwrap()],
            };
            let (response, as_blob) = FileAnswer::Status(status).into_response();
            assert_eq!((response.body.len(), as_blob), (65_536, true));
            assert_eq!(response.header("content-type"), Some("application/json"));
        }
    }

    #[test]
    fn a_long_relay_list_has_the_length_of_a_larger_blob() {
        let list = |len| SignedList {
            list: "x".repeat(len),
            signature: "ab".repeat(64),
        };
        for (len, expected) in [(10, 65_536), (65_536, 393_216)] {
            let (response, as_blob) = FileAnswer::RelayList(list(len)).into_response();
            assert_eq!((response.body.len(), as_blob), (expected, true));
        }
    }

    #[test]
    fn what_is_done_is_answered_with_an_empty_object() {
        for answer in [FileAnswer::Deleted, FileAnswer::ReceiptTaken] {
            let (response, as_blob) = answer.into_response();
            assert_eq!((response.code, as_blob), (200, false));
            assert_eq!(*response.body, b"{}");
        }
        let (response, _) = FileAnswer::Refused(404).into_response();
        assert_eq!(*response.body, br#"{"status_code":404}"#);
    }
}
