//! What a file server answers: to owners, recipients and strangers, to Session's clients, with a clock that jumps, with
//! keys that were replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cloakroom::protocol::address::{FileId, ServerAddress};
use cloakroom::protocol::capability::expiry::{expiry_hour, hour_of};
use cloakroom::protocol::capability::work::{WorkAsked, WorkBase, WorkSearch, work_is_enough};
use cloakroom::protocol::capability::{AccessWord, DownloadReceipt, OwnedId, receipt_key};
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::file_api::{self, Expiry, FileRequest, ReceiptTerms, Upload};
use cloakroom::protocol::keys::Identity;
use cloakroom::protocol::onion::HopCipher;
use cloakroom::protocol::seal::FileKey;
use cloakroom::server::clock_rule::{ClockStanding, ClockTrust};
use cloakroom::server::files::record::BlobRecord;
use cloakroom::server::keys::PreviousKey;
use cloakroom::server::operate::stats::Counter;
use cloakroom::wire::random;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use tempfile::TempDir;

use crate::server::serving::{
    self, HOUR, Plain, START, Serving, ask, download, extend, owned, post_sealed, sealed, token,
    unknown,
};
use crate::server::session_client::{SessionAnswer, SessionRequest};

async fn serve(change: impl FnOnce(&mut cloakroom::server::ServerConfig)) -> (TempDir, Serving) {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path().join("store"), change).await;
    (folder, serving)
}

fn delete(id: &FileId, number: u8) -> FileRequest {
    FileRequest::Delete {
        id: id.clone(),
        token: token(number),
    }
}

fn status(id: &FileId, number: u8) -> FileRequest {
    FileRequest::Status {
        id: id.clone(),
        token: token(number),
    }
}

fn with_receipts(blob: Vec<u8>, key: &FileKey, max_downloads: Option<u32>) -> Upload {
    Upload {
        receipts: Some(ReceiptTerms {
            key: receipt_key(key).public(),
            max_downloads,
        }),
        ..owned(blob, &token(1))
    }
}

fn receipt(key: &FileKey, id: &FileId) -> FileRequest {
    FileRequest::Receipt {
        id: id.clone(),
        receipt: DownloadReceipt::make(key, id, &mut random::system()),
    }
}

async fn expires(serving: &Serving, request: &FileRequest) -> u64 {
    serving::expires(&serving.ask(request).await)
}

#[tokio::test]
async fn only_the_owner_deletes_and_a_lost_answer_can_be_asked_for_again() {
    let (_folder, serving) = serve(|_config| {}).await;
    let id = serving.share(owned(vec![1; 500], &token(1))).await.id;
    assert_eq!(serving.code(&delete(&id, 2)).await, 404);
    assert_eq!(serving.code(&download(&id)).await, 200);
    for _ in 0..2 {
        assert_eq!(serving.code(&delete(&id, 1)).await, 200);
        assert_eq!(serving.code(&download(&id)).await, 404);
    }
    assert_eq!(serving.code(&status(&id, 1)).await, 404);
    assert_eq!(serving.code(&delete(&id, 2)).await, 404);
    let again = FileRequest::Upload(owned(vec![1; 500], &token(1)));
    assert_eq!(
        serving.code(&again).await,
        404,
        "a copy of the upload stores nothing"
    );
    assert_eq!(serving.code(&download(&id)).await, 404);
    let nobodys = serving.share(Upload::new(vec![1; 500])).await.id;
    assert_eq!(serving.code(&delete(&nobodys, 1)).await, 404);
    assert_eq!(serving.code(&status(&nobodys, 1)).await, 404);
}

#[tokio::test]
async fn an_extension_only_lengthens_within_the_limit() {
    let (_folder, serving) = serve(|config| config.settings.policy.ttl_max = 100 * HOUR).await;
    let upload = |owner| Upload {
        expiry: Some(Expiry::InSecs(10 * HOUR)),
        ..owner
    };
    let owners = serving
        .share(upload(owned(vec![1; 500], &token(1))))
        .await
        .id;
    let nobodys = serving.share(upload(Upload::new(vec![2; 500]))).await.id;
    let info = FileRequest::FileInfo(owners.clone());
    for (id, number) in [(&owners, Some(1)), (&nobodys, None)] {
        for (hours, expected) in [(5, 10), (34, 34), (15, 34)] {
            assert_eq!(
                expires(&serving, &extend(id, hours, number)).await,
                START + expected * HOUR
            );
        }
        assert_eq!(serving.code(&extend(id, 101, number)).await, 400);
        assert_eq!(serving.code(&extend(id, 0, number)).await, 400);
    }
    for number in [None, Some(2)] {
        assert_eq!(serving.code(&extend(&owners, 50, number)).await, 404);
    }
    serving.set(START + 15 * HOUR);
    assert_eq!(serving.code(&download(&owners)).await, 200);
    assert_eq!(expires(&serving, &info).await, START + 34 * HOUR);
    let plain = extend(&owners, 50, Some(1));
    assert_eq!(expires(&serving, &plain).await, START + 65 * HOUR);
    serving.set(START + 34 * HOUR);
    assert_eq!(
        serving.code(&extend(&nobodys, 50, None)).await,
        404,
        "too late"
    );
    serving.set(START + 65 * HOUR);
    assert_eq!(serving.code(&info).await, 404);
}

#[tokio::test]
async fn receipts_are_counted_and_the_last_one_allowed_takes_the_file() {
    let (_folder, serving) = serve(|_config| {}).await;
    let key = FileKey::from_bytes([1; 32]);
    let counted = serving
        .share(with_receipts(vec![1; 500], &key, None))
        .await
        .id;
    let limited = serving
        .share(with_receipts(vec![2; 500], &key, Some(1)))
        .await
        .id;
    let without = serving.share(owned(vec![3; 500], &token(1))).await.id;
    let again = receipt(&key, &counted);
    for request in [
        &again,
        &again,
        &receipt(&key, &counted),
        &receipt(&key, &limited),
    ] {
        assert_eq!(serving.code(request).await, 200);
    }
    assert_eq!(serving.code(&receipt(&key, &without)).await, 404);
    let others = FileKey::from_bytes([2; 32]);
    assert_eq!(serving.code(&receipt(&others, &counted)).await, 404);
    for (id, code) in [(&counted, 200), (&limited, 404)] {
        assert_eq!(serving.code(&download(id)).await, code);
        assert_eq!(serving.code(&FileRequest::FileInfo(id.clone())).await, code);
        assert_eq!(serving.code(&extend(id, 20, Some(1))).await, code);
    }
    for (id, allowed, count) in [(&counted, 0, 2), (&limited, 1, 1), (&without, 0, 0)] {
        let told = file_api::read_status(&serving.ask(&status(id, 1)).await).unwrap();
        assert_eq!((told.allowed, told.receipts.len()), (allowed, count));
        assert_eq!(told.size, 500);
        let verified = |receipt: &DownloadReceipt| receipt.verify(&receipt_key(&key).public(), id);
        assert!(told.receipts.iter().all(verified));
        assert_eq!(serving.code(&status(id, 2)).await, 404);
    }
}

#[tokio::test]
async fn simultaneous_receipts_are_counted_each() {
    let (_folder, serving) = serve(|_config| {}).await;
    let key = FileKey::from_bytes([1; 32]);
    let id = serving
        .share(with_receipts(vec![1; 500], &key, Some(8)))
        .await
        .id;
    let requests: Vec<_> = (0..8).map(|_| receipt(&key, &id)).collect();
    let codes = futures_util::future::join_all(requests.iter().map(|one| serving.code(one))).await;
    assert_eq!(codes, [200; 8]);
    assert_eq!(serving.code(&download(&id)).await, 404);
    let told = file_api::read_status(&serving.ask(&status(&id, 1)).await).unwrap();
    assert_eq!(told.receipts.len(), 8);
}

/// Unknown, foreign, expired, deleted, used up, forbidden: the same bytes, sealed and plain.
#[tokio::test]
async fn whatever_is_not_there_is_not_there_in_the_same_way() {
    let (_folder, serving) = serve(|config| config.settings.plain_http = true).await;
    let key = FileKey::from_bytes([1; 32]);
    let expired = serving
        .share(Upload {
            expiry: Some(Expiry::InSecs(HOUR)),
            ..owned(vec![1; 500], &token(1))
        })
        .await
        .id;
    let deleted = serving.share(owned(vec![2; 500], &token(1))).await.id;
    let used_up = serving
        .share(with_receipts(vec![3; 500], &key, Some(1)))
        .await
        .id;
    let there = serving.share(owned(vec![4; 500], &token(1))).await.id;
    assert_eq!(serving.code(&delete(&deleted, 1)).await, 200);
    assert_eq!(serving.code(&receipt(&key, &used_up)).await, 200);
    serving.set(START + HOUR);
    let foreign = FileId::parse("1234567").unwrap();
    let session = FileId::parse(&"a".repeat(44)).unwrap();
    let mut requests = Vec::new();
    for id in [&unknown(), &foreign, &session, &expired, &deleted, &used_up] {
        requests.extend([
            download(id),
            FileRequest::FileInfo(id.clone()),
            extend(id, 5, Some(1)),
            receipt(&key, id),
        ]);
    }
    for id in [&unknown(), &foreign, &expired, &there] {
        requests.extend([delete(id, 3), status(id, 3), extend(id, 5, Some(3))]);
    }
    for request in requests {
        let head = request.head();
        let what = format!("{} {}", head.method, head.endpoint);
        let built = sealed(serving.server.address(), &request, HopCipher::XChaCha20);
        let answer = post_sealed(serving.server.address(), &built.body)
            .await
            .unwrap();
        assert_eq!(
            (answer.status, answer.body.len()),
            (200, 1536 + 40),
            "{what}"
        );
        let response = built.reply.open(answer.body).unwrap().response;
        assert_eq!(response.code, 404, "{what}");
        assert_eq!(*response.body, br#"{"status_code":404}"#, "{what}");
        let headers: String = head
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let plain = serving
            .plain(&head.method, &head.endpoint, &headers, b"")
            .await;
        assert_eq!(plain.status, 404, "{what}");
        assert_eq!(plain.body, br#"{"status_code":404}"#, "{what}");
        assert_eq!(plain.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn the_answers_have_the_lengths_of_the_design() {
    let (_folder, serving) = serve(|_config| {}).await;
    let key = FileKey::from_bytes([1; 32]);
    let small = serving
        .share(with_receipts(vec![1; 65_536], &key, None))
        .await
        .id;
    let odd = serving.share(Upload::new(vec![2; 70_001])).await.id;
    let lengths = [
        (download(&small), 65_536 + 320),
        (download(&odd), 70_001 + 320),
        (FileRequest::FileInfo(small.clone()), 1536),
        (extend(&small, 700, Some(1)), 1536),
        (receipt(&key, &small), 1536),
        (status(&small, 1), 65_536 + 320),
        (status(&small, 2), 1536),
        (delete(&small, 1), 1536),
        (FileRequest::ServerInfo, 1536),
        (FileRequest::RelayList, 1536),
        (FileRequest::Upload(Upload::new(vec![0; 100])), 1536),
        (FileRequest::Upload(Upload::new(Vec::new())), 1536),
    ];
    for (request, len) in lengths {
        for (cipher, overhead) in [(HopCipher::XChaCha20, 40), (HopCipher::AesGcm, 28)] {
            let built = sealed(serving.server.address(), &request, cipher);
            let answer = post_sealed(serving.server.address(), &built.body)
                .await
                .unwrap();
            let head = request.head();
            assert_eq!(
                answer.body.len(),
                len + overhead,
                "{} {}",
                head.method,
                head.endpoint
            );
            built.reply.open(answer.body).unwrap();
            if head.method == "DELETE" {
                break;
            }
        }
    }
}

#[tokio::test]
async fn the_access_word_lets_in() {
    let (_folder, serving) = serve(|config| {
        config.settings.access_word = Some(AccessWord::parse("open sesame").unwrap());
        config.settings.plain_http = true;
    })
    .await;
    let upload = |word: Option<&str>| {
        FileRequest::Upload(Upload {
            access: word.map(|word| AccessWord::parse(word).unwrap()),
            ..Upload::new(vec![1; 500])
        })
    };
    for (word, code) in [(None, 401), (Some("open"), 401), (Some("open sesame"), 200)] {
        assert_eq!(serving.code(&upload(word)).await, code);
    }
    let headers = "Content-Length: 4\r\nX-Access: open sesame\r\n";
    assert_eq!(
        serving
            .plain("POST", "/file", headers, b"blob")
            .await
            .status,
        200
    );
    let headers = "Content-Length: 4\r\nX-Access: closed\r\n";
    assert_eq!(
        serving
            .plain("POST", "/file", headers, b"blob")
            .await
            .status,
        401
    );
    let info = file_api::read_server_info(&serving.ask(&FileRequest::ServerInfo).await).unwrap();
    assert!(info.access && info.work.is_none());
    for feature in ["expiry-hour", "owner", "receipts", "work-2"] {
        assert!(info.has(feature), "{feature}");
    }
}

#[tokio::test]
async fn somebody_who_is_not_the_owner_extends_by_a_day_at_least_and_the_owner_by_an_hour() {
    let (folder, serving) = serve(|_config| {}).await;
    let upload = |upload| Upload {
        expiry: Some(Expiry::InSecs(10 * HOUR)),
        ..upload
    };
    let owners = upload(owned(vec![1; 500], &token(1)));
    let owners = serving.share(owners).await.id;
    let nobodys = serving.share(upload(Upload::new(vec![2; 500]))).await.id;
    assert_eq!((owners.as_str().len(), nobodys.as_str().len()), (22, 44));
    for (id, number, hours, expected) in [
        (&owners, Some(1), 11, 11),
        (&nobodys, None, 11, 10),
        (&nobodys, None, 33, 10),
        (&nobodys, None, 34, 34),
    ] {
        let expires = expires(&serving, &extend(id, hours, number)).await;
        assert_eq!(expires, START + expected * HOUR);
    }
    for hours in 35..=120 {
        assert_eq!(serving.code(&extend(&nobodys, hours, None)).await, 200);
        assert_eq!(serving.code(&extend(&owners, hours, Some(1))).await, 200);
    }
    let more = objects_in(&folder.path().join("store/more"));
    assert_eq!(more, 2, "an extension replaces the one before");
}

/// Version 0.1 gave ids of 22 characters also without an owner.
#[tokio::test]
async fn a_file_without_an_owner_that_version_0_1_stored_is_read_and_extended() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let hour = hour_of(START) + 30;
    let bytes = [&hour.to_be_bytes()[1..], &[7; 13]].concat();
    let id = FileId::parse(&BASE64URL_NOPAD.encode(&bytes)).unwrap();
    let blobs = store.join("blob").join(hour.to_string());
    std::fs::create_dir_all(&blobs).unwrap();
    let mut object = BlobRecord::new(hour, hour - 30, None, None).encode();
    object.extend_from_slice(&[1; 500]);
    std::fs::write(blobs.join(id.as_str()), object).unwrap();
    let serving = Serving::start(store, |_config| {}).await;
    let found = serving.ask(&download(&id)).await;
    assert_eq!((found.code, found.body), (200, vec![1; 500].into()));
    let extended = expires(&serving, &extend(&id, 60, None)).await;
    assert_eq!(extended, START + 60 * HOUR);
}

fn objects_in(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| match entry.file_type().unwrap().is_dir() {
            true => objects_in(&entry.path()),
            false => 1,
        })
        .sum()
}

#[tokio::test]
async fn a_full_server_extends_nothing() {
    let (_folder, serving) = serve(|config| config.settings.max_total = 10_000).await;
    let id = serving.share(owned(vec![1; 9_000], &token(1))).await.id;
    assert_eq!(serving.code(&extend(&id, 700, Some(1))).await, 507);
    assert_eq!(
        serving.code(&extend(&id, 1, Some(1))).await,
        200,
        "no later"
    );
}

#[tokio::test]
async fn an_hour_is_taken_until_it_begins_and_within_the_maximum() {
    let (_folder, serving) = serve(|config| config.settings.policy.ttl_max = 100 * HOUR).await;
    let upload = |hour| {
        FileRequest::Upload(Upload {
            expiry: Some(Expiry::AtHour(hour)),
            ..owned(vec![1; 500], &token(1))
        })
    };
    let now = hour_of(START);
    for (hour, code) in [
        (now, 400),
        (now + 1, 200),
        (now + 101, 200),
        (now + 102, 400),
        (u32::MAX, 400),
        (0, 400),
    ] {
        assert_eq!(serving.code(&upload(hour)).await, code, "{hour}");
    }
    let stored = serving
        .share(Upload {
            expiry: Some(Expiry::AtHour(now + 9)),
            ..owned(vec![2; 500], &token(1))
        })
        .await;
    let id = OwnedId::new(now + 9, &token(1).hash(), &Digest::of(&[2; 500]));
    assert_eq!(
        (stored.id, stored.expires),
        (id.file_id(), Some(START + 9 * HOUR)),
        "the client knows it before"
    );
}

#[tokio::test]
async fn a_server_tells_its_hour_and_what_is_free_in_whole_gibibytes() {
    let (_folder, serving) = serve(|config| config.settings.max_total = (3 << 30) + 5_000).await;
    let info = async || {
        let said = serving.ask(&FileRequest::ServerInfo).await;
        file_api::read_server_info(&said).unwrap()
    };
    assert_eq!(info().await.hour, Some(hour_of(START)));
    assert_eq!(info().await.free, Some(3 << 30));
    serving.share(owned(vec![1; 6_000], &token(1))).await;
    serving.set(START + 2 * HOUR - 1);
    assert_eq!(info().await.free, Some(2 << 30));
    assert_eq!(info().await.hour, Some(hour_of(START) + 1));
}

#[tokio::test]
async fn work_is_asked_for_by_size_of_uploads_with_an_owner() {
    let base = WorkBase::from_bits(14).unwrap();
    let (folder, serving) = serve(|config| config.settings.work = Some(base)).await;
    let key = &serving.server.address().key;
    let info = file_api::read_server_info(&serving.ask(&FileRequest::ServerInfo).await).unwrap();
    assert_eq!(info.work, WorkAsked::Base(base));
    let hour = expiry_hour(START, 5 * HOUR);
    let upload = |len: usize, number: u8, work| {
        FileRequest::Upload(Upload {
            work,
            expiry: Some(Expiry::AtHour(hour)),
            ..owned(vec![1; len], &token(number))
        })
    };
    for len in [500, 65_537] {
        let id = OwnedId::new(hour, &token(1).hash(), &Digest::of(&vec![1; len]));
        let bits = base.bits_for(len as u64);
        let enough = WorkSearch::new(key, &id, bits, 7).run(10_000_000).unwrap();
        let too_little = (0..).find(|n| !work_is_enough(key, &id, *n, bits));
        assert_eq!(serving.code(&upload(len, 1, None)).await, 428);
        assert_eq!(serving.code(&upload(len, 1, too_little)).await, 428);
        assert_eq!(serving.code(&upload(len, 1, Some(enough))).await, 200);
        assert_eq!(
            serving.code(&upload(len, 2, Some(enough))).await,
            428,
            "another owner's file is another file"
        );
    }
    let ownerless = FileRequest::Upload(Upload {
        work: Some(1),
        ..Upload::new(vec![1; 500])
    });
    assert_eq!(serving.code(&ownerless).await, 400);
    assert_eq!(
        objects_in(&folder.path().join("store/blob")),
        3,
        "two and the lock"
    );
}

#[tokio::test]
async fn plain_http_gives_the_same_as_an_onion_request() {
    let (_folder, serving) = serve(|config| config.settings.plain_http = true).await;
    let key = FileKey::from_bytes([1; 32]);
    let blob: Vec<u8> = (0..3_000_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    let id = serving
        .share(with_receipts(blob.clone(), &key, None))
        .await
        .id;
    for request in [
        download(&id),
        FileRequest::FileInfo(id.clone()),
        extend(&id, 700, Some(1)),
        receipt(&key, &id),
        status(&id, 1),
        FileRequest::ServerInfo,
        FileRequest::RelayList,
        delete(&id, 1),
    ] {
        let head = request.head();
        let what = format!("{} {}", head.method, head.endpoint);
        let headers: String = head
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let plain = serving
            .plain(&head.method, &head.endpoint, &headers, b"")
            .await;
        let sealed = serving.ask(&request).await;
        assert_eq!(
            (plain.status, &plain.body),
            (sealed.code, &*sealed.body),
            "{what}"
        );
        for name in ["content-type", "expires"] {
            assert_eq!(plain.header(name), sealed.header(name), "{what}");
        }
        assert_eq!(
            plain.header("content-length"),
            Some(plain.body.len().to_string().as_str())
        );
    }
    for (method, path, code) in [
        ("GET", "/nothing", 404),
        ("GET", "/file", 405),
        ("PUT", "/info", 405),
        ("POST", "/file", 411),
        ("POST", "/files", 404),
    ] {
        assert_eq!(
            serving.plain(method, path, "", b"").await.status,
            code,
            "{path}"
        );
    }
    let uploaded = serving
        .plain(
            "POST",
            "/file",
            "Content-Length: 4\r\nX-FS-TTL: 3600\r\n",
            b"blob",
        )
        .await;
    let uploaded: file_api::Uploaded = serde_json::from_slice(&uploaded.body).unwrap();
    assert!((uploaded.expires.unwrap() - (START + HOUR) as f64).abs() < 1.0);
    for bad in [
        "X-FS-TTL: soon",
        "X-Owner: me",
        "X-Max-Downloads: 3",
        "X-Receipt: 00",
        "X-Work: -1",
    ] {
        let headers = format!("Content-Length: 4\r\n{bad}\r\n");
        assert_eq!(
            serving
                .plain("POST", "/file", &headers, b"blob")
                .await
                .status,
            400,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn plain_http_refuses_with_the_same_words_as_an_onion_request() {
    let (_folder, serving) = serve(|config| {
        config.settings.plain_http = true;
        config.settings.policy.max_blob = 1000;
        config.settings.max_memory = 100_000;
    })
    .await;
    let long = vec![1; 1001];
    let headers = format!("Content-Length: {}\r\n", long.len());
    let plain = serving.plain("POST", "/file", &headers, &long).await;
    let sealed = serving.ask(&FileRequest::Upload(Upload::new(long))).await;
    assert_eq!(
        (plain.status, &plain.body),
        (sealed.code, &*sealed.body),
        "too large"
    );
    assert_eq!(plain.header("content-type"), sealed.header("content-type"));
    // Refused before anything is opened or read: there is nothing to compare it with.
    let (_other_folder, small) = serve(|config| {
        config.settings.plain_http = true;
        config.settings.max_memory = 10;
    })
    .await;
    for (headers, code) in [("Content-Length: 11\r\n", 503), ("", 411)] {
        let plain = small.plain("POST", "/file", headers, b"").await;
        assert_eq!(plain.status, code);
        assert_eq!(plain.header("content-type"), Some("application/json"));
        let said = format!("{{\"status_code\":{code}}}");
        assert_eq!(plain.body, said.into_bytes());
    }
}

#[tokio::test]
async fn an_old_key_is_answered_with_itself_for_sixty_days() {
    const DAY: u64 = 24 * HOUR;
    let old = Identity::from_seed([77; 32]).public();
    let (_folder, serving) = serve(|config| {
        config.previous_keys = vec![PreviousKey {
            key: Identity::from_seed([77; 32]),
            replaced_at: START - 10 * DAY,
        }];
        config.settings.work = WorkBase::from_bits(14);
    })
    .await;
    let address = ServerAddress {
        key: old,
        ..serving.server.address().clone()
    };
    let blob = vec![1; 1000];
    let digest = Digest::of(&blob);
    for (to, key) in [
        (&address, &old),
        (serving.server.address(), &serving.server.address().key),
    ] {
        let hour = expiry_hour(START, HOUR);
        let id = OwnedId::new(hour, &token(1).hash(), &digest);
        let upload = Upload {
            work: WorkSearch::new(key, &id, 14, 0).run(10_000_000),
            expiry: Some(Expiry::AtHour(hour)),
            ..owned(blob.clone(), &token(1))
        };
        assert_eq!(
            ask(to, &FileRequest::Upload(upload)).await.code,
            200,
            "work is done for the key addressed"
        );
    }
    for cipher in [HopCipher::AesGcm, HopCipher::XChaCha20] {
        let built = sealed(&address, &FileRequest::ServerInfo, cipher);
        let answer = post_sealed(&address, &built.body).await.unwrap();
        assert_eq!(built.reply.open(answer.body).unwrap().response.code, 200);
    }
    serving.set(START + 50 * DAY - 1);
    let built = sealed(&address, &FileRequest::ServerInfo, HopCipher::AesGcm);
    assert_eq!(
        post_sealed(&address, &built.body).await.unwrap().status,
        200
    );
    serving.set(START + 50 * DAY);
    let built = sealed(&address, &FileRequest::ServerInfo, HopCipher::AesGcm);
    assert_eq!(
        post_sealed(&address, &built.body).await.unwrap().status,
        400
    );
}

#[tokio::test]
async fn a_clock_that_jumps_stops_sweeps_but_no_reads_and_one_that_is_behind_also_uploads() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let serving = Serving::start(store.clone(), |_config| {}).await;
    let short = serving
        .share(Upload {
            expiry: Some(Expiry::InSecs(HOUR)),
            ..owned(vec![1; 500], &token(1))
        })
        .await
        .id;
    let long = serving.share(owned(vec![2; 500], &token(1))).await.id;
    let new = || FileRequest::Upload(Upload::new(vec![3; 500]));
    for (jump, standing, code) in [
        (START + 400 * 24 * HOUR, ClockStanding::Ahead, 200),
        (START - 2 * HOUR, ClockStanding::Behind, 503),
    ] {
        serving.set(jump);
        assert_eq!(serving.server.clock(), standing);
        assert_eq!(serving.code(&new()).await, code);
        assert_eq!(serving.code(&download(&short)).await, 200);
        assert_eq!(serving.code(&download(&long)).await, 200);
    }
    assert_eq!(serving.code(&extend(&long, 700, Some(1))).await, 503);
    assert_eq!(serving.server.stats().total(Counter::Refusals), 2);
    // An hour of our time has passed by a clock that is a year ahead: it shows in the upload.
    serving.set(START + 400 * 24 * HOUR);
    let ours = FileRequest::Upload(Upload {
        expiry: Some(Expiry::AtHour(hour_of(START) + 5)),
        ..owned(vec![4; 500], &token(1))
    });
    assert_eq!(serving.code(&ours).await, 400);
    serving.set(START + 2 * HOUR);
    assert_eq!(serving.code(&new()).await, 200, "it came back");
    assert_eq!(serving.code(&download(&short)).await, 404);
    serving.server.stop().await;

    // A restart remembers; the operator decides.
    let now = Arc::new(AtomicU64::new(START + 400 * 24 * HOUR));
    let jumped = Serving::try_start(store.clone(), Arc::clone(&now), |_config| {})
        .await
        .unwrap();
    assert_eq!(jumped.server.clock(), ClockStanding::Ahead);
    assert_eq!(
        jumped.code(&download(&long)).await,
        200,
        "nothing was swept"
    );
    jumped.server.stop().await;
    let accepted = Serving::try_start(store.clone(), Arc::clone(&now), |config| {
        config.clock_trust = ClockTrust::AcceptNow;
    })
    .await
    .unwrap();
    assert_eq!(accepted.code(&download(&long)).await, 404);
    assert_eq!(accepted.code(&new()).await, 200);
    let swept = async {
        while accepted.server.stats().total(Counter::Swept) < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), swept)
        .await
        .expect("what expired is swept");
    accepted.server.stop().await;
    now.fetch_sub(10 * 24 * HOUR, Ordering::SeqCst);
    let behind = Serving::try_start(store, now, |_config| {}).await.unwrap();
    assert_eq!(behind.code(&new()).await, 503);
}

async fn answer_to(request: SessionRequest, to: &ServerAddress) -> SessionAnswer {
    let Plain { status, body, .. } = post_sealed(to, &request.body).await.unwrap();
    assert_eq!(status, 200, "the outer status says nothing");
    request.open(body)
}

#[tokio::test]
async fn session_clients_are_served_as_they_expect() {
    let (_folder, serving) = serve(|_config| {}).await;
    let to = serving.server.address();
    let mut largest = vec![0; 10_223_616];
    largest[10_000_000] = 1;
    for cipher in [HopCipher::AesGcm, HopCipher::XChaCha20] {
        let post = r#"{"endpoint":"/file","method":"POST","headers":{"Content-Disposition":"attachment","Content-Type":"application/octet-stream"}}"#;
        let asked = |meta: &str, body: Option<&[u8]>| {
            answer_to(SessionRequest::new(to, cipher, meta, body), to)
        };
        let request = SessionRequest::new(to, cipher, post, Some(&largest));
        assert!(request.body.len() < 10_485_760);
        let uploaded = answer_to(request, to).await;
        assert_eq!(uploaded.code, 200);
        let uploaded = uploaded.json();
        let id = uploaded["id"]
            .as_str()
            .expect("a string, though it may look like a number");
        assert!(uploaded["expires"].is_f64() && uploaded["expires"].as_f64() > Some(1.0));

        let get = format!(r#"{{"endpoint":"/file/{id}?x=1","method":"GET"}}"#);
        let found = asked(&get, None).await;
        assert_eq!(found.code, 200);
        assert_eq!(found.headers["content-type"], "application/octet-stream");
        assert!(found.headers["expires"].as_str().unwrap().ends_with(" GMT"));
        assert!(found.body == largest);

        let info = format!(r#"{{"endpoint":"/file/{id}/info","method":"GET","headers":{{}}}}"#);
        let info = asked(&info, None).await.json();
        assert_eq!(info["size"], 10_223_616);
        assert!(info["uploaded"].is_f64() && info["expires"].is_f64());
        let extend = format!(
            r#"{{"endpoint":"/file/{id}/extend","method":"POST","headers":{{"X-FS-TTL":2000000}}}}"#
        );
        let extended = asked(&extend, None).await.json();
        assert!(extended["expires"].as_f64() > info["expires"].as_f64());

        for (meta, body, code) in [
            (r#"{"endpoint":"/file/1234567","method":"GET"}"#, None, 404),
            (r#"{"endpoint":"/file","method":"POST"}"#, None, 413),
            (
                r#"{"endpoint":"/file","method":"POST"}"#,
                Some(vec![0; 10_223_617]),
                413,
            ),
            (
                r#"{"endpoint":"/file","method":"POST","headers":{"X-FS-TTL":"1"}}"#,
                Some(vec![0]),
                400,
            ),
            (r#"{"endpoint":"file","method":"POST"}"#, None, 400),
            (r"no json", None, 400),
            (
                r#"{"endpoint":"/session_version","method":"GET"}"#,
                None,
                404,
            ),
        ] {
            let answer = asked(meta, body.as_deref()).await;
            assert_eq!(answer.code, code, "{meta}");
            assert_eq!(answer.json()["status_code"], code);
        }
    }
    let garbage = post_sealed(to, b"garbage").await.unwrap();
    assert_eq!(
        garbage.status, 400,
        "what cannot be opened is refused outside"
    );
    assert!(HEXLOWER.decode(to.key.to_hex().as_bytes()).is_ok());
}
