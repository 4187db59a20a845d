//! What a client makes of a server's answer: nothing in it is believed further than it can be checked.

use core::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use thiserror::Error;
use zeroize::Zeroizing;

use super::answer::{FileInfo, FileStatus, ServerInfo, SignedList, Uploaded};
use super::{LONG_ANSWER_LEN, MAX_RECEIPTS};
use crate::protocol::address::FileId;
use crate::protocol::capability::DownloadReceipt;
use crate::protocol::digest::Digest;
use crate::protocol::json::{self, Text, TextLimits};
use crate::protocol::onion::v4::Response;
use crate::protocol::size_class::SizeClass;

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
    /// When the server forgets the blob, in unix seconds; absent when it did not say.
    pub expires: Option<u64>,
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
    let uploaded: Uploaded = read_json(response, MAX_TEXT_LEN)?;
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
    let expires = match uploaded.expires {
        Some(expires) => Some(seconds(expires).ok_or(AnswerError::Unreadable)?),
        None => None,
    };
    Ok(StoredAt { id, expires })
}

/// Reads the answer to a download.
///
/// # Errors
/// [`AnswerError`]; a blob of none of the eight lengths is [`AnswerError::Unreadable`].
pub fn read_found(response: Response) -> Result<Zeroizing<Vec<u8>>, AnswerError> {
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
    read_json(response, MAX_TEXT_LEN)
}

/// Reads the answer to `GET /file/{id}/info` and to an extension; both times are whole seconds within reach.
///
/// # Errors
/// [`AnswerError`].
pub fn read_file_info(response: &Response) -> Result<FileInfo, AnswerError> {
    let info: FileInfo = read_json(response, MAX_TEXT_LEN)?;
    times(info.uploaded, info.expires)?;
    Ok(info)
}

/// Reads the answer to a status. Receipts that are none, and repeated ones, are left out; of more than [`MAX_RECEIPTS`],
/// those behind. Whether the file's recipients
/// made the others is for their keys to say.
///
/// # Errors
/// [`AnswerError`].
pub fn read_status(response: &Response) -> Result<FileStatus, AnswerError> {
    let status: StatusIn = read_json(response, MAX_TEXT_LEN)?;
    times(status.uploaded, status.expires)?;
    Ok(FileStatus {
        size: status.size,
        uploaded: status.uploaded,
        expires: status.expires,
        allowed: status.allowed,
        receipts: status.receipts.0,
    })
}

/// Reads the answer to `GET /relays`; nothing of it is verified yet.
///
/// # Errors
/// [`AnswerError`].
pub fn read_signed_list(response: &Response) -> Result<SignedList, AnswerError> {
    read_json(response, LONG_ANSWER_LEN)
}

/// Reads the answer to a deletion or a receipt: done, or why not.
///
/// # Errors
/// [`AnswerError::Status`].
pub const fn read_done(response: &Response) -> Result<(), AnswerError> {
    if response.code == 200 {
        Ok(())
    } else {
        Err(AnswerError::Status(response.code))
    }
}

impl FileInfo {
    /// When the server forgets the file, in unix seconds.
    #[must_use]
    pub(crate) fn expires_secs(&self) -> u64 {
        seconds(self.expires).unwrap_or(0)
    }
}

impl FileStatus {
    /// When the server forgets the file, in unix seconds.
    #[must_use]
    pub(crate) fn expires_secs(&self) -> u64 {
        seconds(self.expires).unwrap_or(0)
    }

    /// When the file was uploaded, in unix seconds, to the hour.
    #[must_use]
    pub(crate) fn uploaded_secs(&self) -> u64 {
        seconds(self.uploaded).unwrap_or(0)
    }
}

/// Reads an answer in JSON, of which none is longer than the smallest blob.
fn read_json<'a, T: Deserialize<'a>>(
    response: &'a Response,
    longest_text: usize,
) -> Result<T, AnswerError> {
    if response.code != 200 {
        return Err(AnswerError::Status(response.code));
    }
    let limits = TextLimits {
        text: LONG_ANSWER_LEN,
        string: longest_text,
    };
    json::parse(&response.body, limits).map_err(|_why| AnswerError::Unreadable)
}

/// [`FileStatus`] on the wire.
#[derive(Deserialize)]
struct StatusIn {
    size: u64,
    uploaded: f64,
    expires: f64,
    #[serde(default)]
    allowed: u32,
    #[serde(default)]
    receipts: ReceiptsIn,
}

/// At most [`MAX_RECEIPTS`] receipts, no nonce twice.
#[derive(Default)]
struct ReceiptsIn(Vec<DownloadReceipt>);

impl<'de> Deserialize<'de> for ReceiptsIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfReceipts;
        impl<'de> Visitor<'de> for OfReceipts {
            type Value = ReceiptsIn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("receipts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ReceiptsIn, A::Error> {
                let mut receipts: Vec<DownloadReceipt> = Vec::new();
                while let Some(Text(hex)) = seq.next_element()? {
                    if receipts.len() as u64 == u64::from(MAX_RECEIPTS) {
                        continue;
                    }
                    if let Some(receipt) = DownloadReceipt::from_hex(&hex)
                        && receipts.iter().all(|known| known.nonce != receipt.nonce)
                    {
                        receipts.push(receipt);
                    }
                }
                Ok(ReceiptsIn(receipts))
            }
        }

        deserializer.deserialize_seq(OfReceipts)
    }
}

fn times(uploaded: f64, expires: f64) -> Result<(), AnswerError> {
    match (seconds(uploaded), seconds(expires)) {
        (Some(_), Some(_)) => Ok(()),
        _ => Err(AnswerError::Unreadable),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked before"
)]
fn seconds(value: f64) -> Option<u64> {
    (value.is_finite() && (0.0..=MAX_SECONDS).contains(&value)).then_some(value as u64)
}

/// The longest text of an answer that is no relay list, in bytes; a download receipt has 160.
const MAX_TEXT_LEN: usize = 1_024;
/// The end of the year 9999.
const MAX_SECONDS: f64 = 253_402_300_799.0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::FileAnswer;
    use super::*;
    use crate::protocol::capability::work::WorkAsked;

    fn said(body: &str) -> Response {
        Response {
            code: 200,
            headers: vec![],
            body: body.as_bytes().to_vec().into(),
        }
    }

    #[test]
    fn an_upload_confirmed_with_other_bytes_is_refused() {
        let digest = Digest::of(b"sent");
        let uploaded = |size, digest: Digest| {
            FileAnswer::Uploaded(Uploaded {
                id: "abc".to_owned(),
                expires: Some(7.5),
                size: Some(size),
                digest: Some(digest.to_hex()),
            })
            .into_response()
            .0
        };
        assert_eq!(
            read_uploaded(&uploaded(4, digest), 4, &digest).map(|stored| stored.expires),
            Ok(Some(7))
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
        let response = said(r#"{"id":"123","expires":1754863793.186}"#);
        assert_eq!(
            read_uploaded(&response, 4, &Digest::of(b"sent")).map(|stored| stored.expires),
            Ok(Some(1_754_863_793))
        );
    }

    #[test]
    fn an_answer_of_2024_without_expiry_and_one_with_a_number_for_an_id_are_taken() {
        for (body, id) in [
            (r#"{"id": "7027684208311699"}"#, "7027684208311699"),
            (r#"{"id": 7027684208311699}"#, "7027684208311699"),
            (r#"{"id":"7","expires":null}"#, "7"),
        ] {
            let stored = read_uploaded(&said(body), 4, &Digest::of(b"sent")).unwrap();
            assert_eq!((stored.id.as_str(), stored.expires), (id, None));
        }
        for body in [
            r#"{"expires":1}"#,
            r#"{"id":null}"#,
            r#"{"id":-7}"#,
            r#"{"id":7.5}"#,
            r#"{"id":["7"]}"#,
            r#"{"id":"7","expires":-1}"#,
        ] {
            assert_eq!(
                read_uploaded(&said(body), 4, &Digest::of(b"sent")),
                Err(AnswerError::Unreadable),
                "{body}"
            );
        }
    }

    #[test]
    fn a_newer_servers_info_is_understood_as_far_as_it_goes() {
        let info = |more: &str| {
            read_server_info(&said(&format!(
                r#"{{"name":"n","version":"9","max_blob":1,"ttl_default":2,"ttl_max":3{more}}}"#
            )))
        };
        let plain = info("").unwrap();
        assert_eq!((plain.access, plain.work), (false, WorkAsked::None));
        assert_eq!((plain.hour, plain.free), (None, None));
        let newer = info(
            r#","features":["owner","teleport"],"access":true,"work_bits":[1,2,3,4,5,6,7,8],"moon":{"phase":1}"#,
        )
        .unwrap();
        assert!(newer.has("owner") && newer.has("teleport") && !newer.has("receipts"));
        assert_eq!(
            (newer.access, newer.work),
            (true, WorkAsked::Unknown),
            "the eight numbers of version 0.1"
        );
    }

    #[test]
    fn a_status_survives_the_wire_without_what_is_no_receipt() {
        let receipt = |nonce| DownloadReceipt {
            nonce: [nonce; 16],
            signature: [7; 64],
        };
        let status = FileStatus {
            size: 65_536,
            uploaded: 3_600.0,
            expires: 7_200.0,
            allowed: 3,
            receipts: vec![receipt(1), receipt(2)],
        };
        let (response, _) = FileAnswer::Status(status.clone()).into_response();
        assert!(read_status(&response).is_ok_and(|again| again == status));
        let one = receipt(1).to_hex();
        let untidy = said(&format!(
            r#"{{"size":1,"uploaded":1,"expires":2.9,"receipts":["{one}","x","{one}"]}}"#
        ));
        let status = read_status(&untidy).unwrap();
        assert_eq!((status.receipts.len(), status.allowed), (1, 0));
        assert_eq!((status.uploaded_secs(), status.expires_secs()), (1, 2));
    }

    #[test]
    fn a_relay_list_survives_the_wire() {
        let list = SignedList {
            list: "{\"version\":1}\n".to_owned(),
            signature: "ab".repeat(64),
        };
        let (response, _) = FileAnswer::RelayList(list.clone()).into_response();
        assert_eq!(read_signed_list(&response), Ok(list));
    }

    #[test]
    fn times_out_of_reach_are_unreadable() {
        for time in ["-1", "1e300"] {
            let info = said(&format!(r#"{{"size":1,"uploaded":1,"expires":{time}}}"#));
            assert_eq!(read_file_info(&info), Err(AnswerError::Unreadable));
            assert!(read_status(&info).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_answer_panics(code in prop_oneof![Just(200_u16), any::<u16>()], body in ".{0,80}|\\{.{0,80}\\}") {
            let response = Response { code, headers: vec![], body: body.into_bytes().into() };
            prop_assert_eq!(read_done(&response).is_ok(), code == 200);
            prop_assert!(read_status(&response).is_err());
            prop_assert!(read_file_info(&response).is_err());
            prop_assert!(read_server_info(&response).is_err());
            prop_assert!(read_signed_list(&response).is_err());
            prop_assert!(read_uploaded(&response, 1, &Digest::of(b"x")).is_err());
            prop_assert!(read_found(response).is_err());
        }
    }
}
