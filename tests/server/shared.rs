//! Two `cloak serve` processes over one bucket: what one of them did, the other knows. Started by
//! `packaging/server/test-s3.sh`, which gives the bucket.
#![cfg(all(feature = "s3", unix))]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use cloakroom::protocol::address::{FileId, ServerAddress};
use cloakroom::protocol::capability::{DownloadReceipt, receipt_key};
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::file_api::{self, FileInfo, FileRequest, ReceiptTerms, Upload};
use cloakroom::protocol::seal::FileKey;
use cloakroom::server::files::record::BlobRecord;
use cloakroom::wire::random;

use crate::server::serving::{self, HOUR, ask, download, extend, owned, token};
use crate::server::stores::Place;
use crate::support::{Process, cloak, now, said};

struct Pair {
    _processes: [Process; 2],
    one: ServerAddress,
    other: ServerAddress,
}

/// Two servers with one key over one place.
fn start(place: &Place, home: &Path) -> Pair {
    let server = || {
        let mut serve = cloak(home);
        serve
            .args(["serve", "--listen", "127.0.0.1:0", "--sweep-every", "1s"])
            .arg("--key")
            .arg(home.join("server.key"))
            .args(["--store", &place.location.to_string()]);
        Process::start(serve)
    };
    let processes = [server(), server()];
    let [one, other] =
        [&processes[0], &processes[1]].map(|process| process.first_line.parse().unwrap());
    Pair {
        _processes: processes,
        one,
        other,
    }
}

async fn share(to: &ServerAddress, upload: Upload) -> FileId {
    let (len, digest) = (upload.blob.len(), Digest::of(&upload.blob));
    let response = ask(to, &FileRequest::Upload(upload)).await;
    assert_eq!(response.code, 200);
    file_api::read_uploaded(&response, len, &digest).unwrap().id
}

#[ignore = "needs a bucket: packaging/server/test-s3.sh"]
#[tokio::test]
async fn what_one_server_does_the_other_knows() {
    let home = tempfile::tempdir().unwrap();
    let place = Place::bucket();
    let Pair {
        one,
        other,
        _processes,
    } = start(&place, home.path());
    assert_eq!(one.key, other.key);
    let blob = vec![5; 1_048_576];
    let id = share(&one, owned(blob.clone(), &token(1))).await;
    assert!(*ask(&other, &download(&id)).await.body == blob);
    let extended = ask(&other, &extend(&id, 700, Some(1))).await;
    let extended: FileInfo = serde_json::from_slice(&extended.body).unwrap();
    let info = ask(&one, &FileRequest::FileInfo(id.clone())).await;
    let info: FileInfo = serde_json::from_slice(&info.body).unwrap();
    assert_eq!(info, extended);
    let delete = FileRequest::Delete {
        id: id.clone(),
        token: token(1),
    };
    assert_eq!(ask(&other, &delete).await.code, 200);
    for to in [&one, &other] {
        assert_eq!(ask(to, &download(&id)).await.code, 404);
        let again = FileRequest::Upload(owned(blob.clone(), &token(1)));
        assert_eq!(ask(to, &again).await.code, 404);
    }

    let key = FileKey::from_bytes([3; 32]);
    let limited = Upload {
        receipts: Some(ReceiptTerms {
            key: receipt_key(&key).public(),
            max_downloads: Some(2),
        }),
        ..owned(vec![6; 65_536], &token(1))
    };
    let id = share(&other, limited).await;
    for to in [&one, &other] {
        assert_eq!(ask(to, &download(&id)).await.code, 200);
        let receipt = DownloadReceipt::make(&key, &id, &mut random::system());
        let receipt = FileRequest::Receipt {
            id: id.clone(),
            receipt,
        };
        assert_eq!(ask(to, &receipt).await.code, 200);
    }
    for to in [&one, &other] {
        assert_eq!(ask(to, &download(&id)).await.code, 404);
        let status = FileRequest::Status {
            id: id.clone(),
            token: token(1),
        };
        let status = file_api::read_status(&ask(to, &status).await).unwrap();
        assert_eq!(status.receipts.len(), 2);
    }
}

#[ignore = "needs a bucket: packaging/server/test-s3.sh"]
#[tokio::test]
async fn both_sweep_at_once_while_files_are_extended() {
    let home = tempfile::tempdir().unwrap();
    let place = Place::bucket();
    let this_hour = u32::try_from(now() / HOUR).unwrap();
    let past = this_hour - 5;
    let record = BlobRecord::new(past, past - 10, Some(&token(1).hash()), None);
    let mut object = record.encode();
    object.extend_from_slice(&[7; 500]);
    let id = |number: u8| FileId::random(past, [number; 30]);
    for number in 0..40 {
        let id = id(number);
        let id = id.as_str();
        place.put(&format!("blob/{past}/{id}"), &object).await;
        place.put(&format!("seen/{past}/{id}/00"), b"r").await;
        // Half of them were extended before: a little for those that are due, and for the others until soon.
        let later = if number < 20 { past + 2 } else { this_hour + 2 };
        place.put(&format!("more/{past}/{id}/{later}"), b"").await;
    }
    let Pair {
        one,
        other,
        _processes,
    } = start(&place, home.path());
    let mut extended = Vec::new();
    for (number, to) in (20..40).zip([&one, &other].into_iter().cycle()) {
        let answer = ask(to, &extend(&id(number), 100, Some(1))).await;
        let info: FileInfo = serde_json::from_slice(&answer.body).unwrap();
        assert!(info.expires > (now() + 99 * HOUR) as f64);
        extended.push(info);
        assert_eq!(ask(to, &download(&id(number))).await.code, 200);
    }
    for number in 0..20 {
        assert_eq!(ask(&one, &download(&id(number))).await.code, 404);
        for kind in ["blob", "more", "seen"] {
            let prefix = format!("{kind}/{past}/{}", id(number).as_str());
            let began = Instant::now();
            while place.has(&prefix).await {
                assert!(
                    began.elapsed() < Duration::from_secs(60),
                    "{kind} is not swept"
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    for (number, extended) in (20..40).zip(extended) {
        for to in [&one, &other] {
            let found = ask(to, &download(&id(number))).await;
            assert_eq!((found.code, found.body.len()), (200, 500));
            let info = ask(to, &FileRequest::FileInfo(id(number))).await;
            let info: FileInfo = serde_json::from_slice(&info.body).unwrap();
            assert_eq!(info, extended);
        }
    }
}

/// The state of each part that `cloak check server` looks at on a bucket, from anywhere.
fn check(home: &Path, store: &str, server: &ServerAddress) -> BTreeMap<String, String> {
    let mut check = cloak(home);
    check
        .args(["check", "--json", "server", "--store", store, "--listen"])
        .arg(serving::socket(server).to_string())
        .arg("--key")
        .arg(home.join("server.key"));
    let output = check.output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", said(&output)));
    let text = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| (text(finding, "part"), text(finding, "state")))
        .collect()
}

#[ignore = "needs a bucket: packaging/server/test-s3.sh"]
#[tokio::test]
async fn an_operator_acts_on_a_bucket_from_anywhere() {
    let home = tempfile::tempdir().unwrap();
    let place = Place::bucket();
    let store = place.location.to_string();
    let Pair {
        one,
        other,
        _processes,
    } = start(&place, home.path());
    let deed = |deed: &str, id: &FileId| {
        let mut command = cloak(home.path());
        command
            .args(["store", deed, id.as_str(), "--store", &store])
            .arg("--key")
            .arg(home.path().join("server.key"));
        command.output().unwrap()
    };
    let upload = |byte: u8| owned(vec![byte; 65_536], &token(1));
    let removed = share(&one, upload(1)).await;
    let blocked = share(&one, upload(2)).await;
    for (what, id) in [("remove", &removed), ("block", &blocked)] {
        let output = deed(what, id);
        assert!(output.status.success(), "{}", said(&output));
        for to in [&one, &other] {
            assert_eq!(ask(to, &download(id)).await.code, 404);
        }
    }
    let output = deed("remove", &removed);
    assert!(!output.status.success(), "not there: {}", said(&output));
    for to in [&one, &other] {
        let again = ask(to, &FileRequest::Upload(upload(1))).await;
        assert_eq!(again.code, 200, "removed is not blocked");
        let again = ask(to, &FileRequest::Upload(upload(2))).await;
        assert_eq!(again.code, 404);
    }

    let findings = check(home.path(), &store, &one);
    for part in ["key", "store", "bucket versions"] {
        assert_eq!(findings[part], "ok", "{part}: {findings:?}");
    }
    // Garage has none.
    let Ok(versioned) = std::env::var("CLOAKROOM_TEST_VERSIONED_BUCKET") else {
        eprintln!("skipped: there is no bucket with versions here");
        return;
    };
    let findings = check(home.path(), &format!("s3://{versioned}/check"), &one);
    assert_eq!(findings["store"], "ok", "{findings:?}");
    assert_eq!(findings["bucket versions"], "warning", "{findings:?}");
}

#[ignore = "needs a bucket: packaging/server/test-s3.sh"]
#[test]
fn servers_of_a_bucket_keep_one_network_and_the_operator_asks_any_of_them() {
    let home = tempfile::tempdir().unwrap();
    let place = Place::bucket();
    let store = place.location.to_string();
    let folder = |name: &str| {
        let folder = home.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    };
    let with_key = |command: &mut Command, name: &str| {
        command
            .args(["--store", &store, "--network", "friends", "--key"])
            .arg(folder(name).join("server.key"));
    };
    let serve = |name: &str| {
        let mut serve = cloak(&folder(name));
        serve
            .args(["serve", "--listen", "127.0.0.1:0", "--allow-private"])
            .args(["--store-timeout", "1s"])
            .env_remove("JOURNAL_STREAM");
        with_key(&mut serve, name);
        serve
    };
    let host = |name: &str, deed: &[&str]| {
        let mut host = cloak(&folder(name));
        host.arg("host").args(deed);
        with_key(&mut host, name);
        let output = host.output().unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            said(&output),
        )
    };

    let mut one = Process::start(serve("one"));
    let invitation = one.next_line();
    for key in ["server.key", "list.key"] {
        fs::copy(folder("one").join(key), folder("other").join(key)).unwrap();
    }
    let _other = Process::start(serve("other"));
    let mut relay = cloak(&folder("relay"));
    relay
        .current_dir(folder("relay"))
        .args(["relay", "--listen", "127.0.1.1:0", "--allow-private"])
        .args(["--operator", "Ben", "--join"])
        .arg(invitation.strip_prefix("relays: ").unwrap());
    let mut relay = Process::start(relay);
    relay.wait_for("this relay is in the network");

    for name in ["one", "other"] {
        let (done, relays, told) = host(name, &["relays"]);
        assert!(
            done && relays.contains("\"Ben\" answers"),
            "{name}: {relays}{told}"
        );
    }
    let (_, relays, _) = host("other", &["relays"]);
    let key = relays.split(' ').next().unwrap();
    let (done, _, told) = host("other", &["remove", key]);
    assert!(done, "{told}");
    let (_, relays, told) = host("one", &["relays"]);
    assert!(relays.contains("removed by you"), "{relays}{told}");

    // Keys of its own: it would be another network. A key that another server uses here: nobody could tell which one is asked.
    fs::copy(
        folder("one").join("server.key"),
        folder("third").join("server.key"),
    )
    .unwrap();
    for (name, words) in [("third", "another key signs"), ("one", "another server")] {
        let refused = serve(name).output().unwrap();
        assert!(!refused.status.success());
        assert!(said(&refused).contains(words), "{}", said(&refused));
    }
    let (done, _, told) = host("third", &["relays"]);
    assert!(
        !done && told.contains("no server that keeps a network runs"),
        "{told}"
    );
}

/// The names of what lies in a folder, with `/` between their parts.
fn objects_in(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for kind in ["blob", "more", "seen", "gone", "clock"] {
        let mut folders = vec![kind.to_owned()];
        while let Some(name) = folders.pop() {
            for entry in fs::read_dir(folder.join(&name))
                .unwrap()
                .map(Result::unwrap)
            {
                let name = format!("{name}/{}", entry.file_name().to_str().unwrap());
                if entry.file_type().unwrap().is_dir() {
                    folders.push(name);
                } else if name != "blob/lock" {
                    found.push(name);
                }
            }
        }
    }
    found
}

/// As the operators' page says: the server is stopped, its objects are copied, and its key with them.
#[ignore = "needs a bucket: packaging/server/test-s3.sh"]
#[tokio::test]
async fn a_folder_that_was_copied_to_a_bucket_is_served_from_there() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("store");
    let mut serve = cloak(home.path());
    serve
        .args(["serve", "--listen", "127.0.0.1:0", "--key"])
        .arg(home.path().join("server.key"))
        .arg("--store")
        .arg(&folder);
    let mut server = Process::start(serve);
    let before: ServerAddress = server.first_line.parse().unwrap();
    let key = FileKey::from_bytes([3; 32]);
    let blob = vec![5; 1_048_576];
    let upload = Upload {
        receipts: Some(ReceiptTerms {
            key: receipt_key(&key).public(),
            max_downloads: Some(5),
        }),
        ..owned(blob.clone(), &token(1))
    };
    let kept = share(&before, upload).await;
    let receipt = DownloadReceipt::make(&key, &kept, &mut random::system());
    let told = FileRequest::Receipt {
        id: kept.clone(),
        receipt,
    };
    assert_eq!(ask(&before, &told).await.code, 200);
    assert_eq!(ask(&before, &extend(&kept, 700, Some(1))).await.code, 200);
    let deleted = share(&before, owned(vec![6; 65_536], &token(1))).await;
    let delete = FileRequest::Delete {
        id: deleted.clone(),
        token: token(1),
    };
    assert_eq!(ask(&before, &delete).await.code, 200);
    let info = ask(&before, &FileRequest::FileInfo(kept.clone()))
        .await
        .body;
    assert!(server.end().0.success());

    let place = Place::bucket();
    let names = objects_in(&folder);
    for kind in ["blob/", "more/", "seen/", "gone/", "clock/"] {
        assert!(names.iter().any(|name| name.starts_with(kind)), "{kind}");
    }
    for name in names {
        place
            .put(&name, &fs::read(folder.join(&name)).unwrap())
            .await;
    }
    let Pair {
        one,
        other,
        _processes,
    } = start(&place, home.path());
    assert_eq!(one.key, before.key);
    for to in [&one, &other] {
        assert!(*ask(to, &download(&kept)).await.body == blob);
        let found = ask(to, &FileRequest::FileInfo(kept.clone())).await;
        assert_eq!(found.body, info);
        let status = FileRequest::Status {
            id: kept.clone(),
            token: token(1),
        };
        let status = file_api::read_status(&ask(to, &status).await).unwrap();
        assert_eq!(status.receipts.len(), 1);
        assert_eq!(ask(to, &download(&deleted)).await.code, 404);
        let again = FileRequest::Upload(owned(vec![6; 65_536], &token(1)));
        assert_eq!(ask(to, &again).await.code, 404, "it stays deleted");
    }
}
