//! One suite for every kind of store: in memory, in a folder, in a bucket (feature `s3`, started by
//! `packaging/server/test-s3.sh`).

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use cloakroom::protocol::address::FileId;
use cloakroom::protocol::capability::{DownloadReceipt, receipt_key};
use cloakroom::protocol::file_api::{self, Expiry, FileRequest, ReceiptTerms, Upload};
use cloakroom::protocol::seal::FileKey;
use cloakroom::server::files::record::{BlobRecord, RECORD_LEN};
use cloakroom::server::operate::by_hand::Operator;
#[cfg(unix)]
use cloakroom::server::store::location::StoreLocation;
use cloakroom::server::store::{
    BlobStore, FileRecord, FileSlot, Held, PutError, StoreFault, Swept,
};
use cloakroom::wire::random;

use crate::server::serving::{HOUR, START, Serving, owned, token};
use crate::server::stores::Place;

macro_rules! on_every_store {
    ($($case:ident),* $(,)?) => {
        mod memory { $(#[tokio::test] async fn $case() { super::$case(&super::Place::memory()).await; })* }
        mod folder { $(#[tokio::test] async fn $case() { super::$case(&super::Place::folder()).await; })* }
        #[cfg(feature = "s3")]
        mod bucket { $(#[ignore = "needs a bucket: packaging/server/test-s3.sh"] #[tokio::test] async fn $case() { super::$case(&super::Place::bucket()).await; })* }
    };
}

on_every_store![
    a_check_works_while_a_sweep_runs_whatever_the_clock_says,
    a_file_lives_its_whole_life,
    a_full_store_takes_nothing_more_until_something_went,
    a_removed_file_is_gone_for_reads_and_for_uploads,
    an_extension_and_a_sweep_at_once_lose_nothing,
    an_operator_removes_and_blocks_while_a_server_runs,
    leftovers_are_met_again,
    receipts_are_counted_once,
    simultaneous_uploads_of_one_file_are_counted_once,
    strangers_are_left_alone,
    the_latest_extension_counts,
    the_sweep_takes_what_expired_an_hour_ago,
    what_was_put_is_found_and_survives_a_reopen,
];

const FIRST: u32 = 500_010;
const PLENTY: u64 = 1 << 40;

fn slot(number: u8) -> FileSlot {
    FileSlot::of(&FileId::random(FIRST, [number; 30])).unwrap()
}

fn record() -> BlobRecord {
    BlobRecord::new(FIRST, 500_000, Some(&token(1).hash()), None)
}

async fn put(store: &BlobStore, number: u8, blob: &[u8]) -> Result<(), PutError> {
    let blob = Bytes::copy_from_slice(blob);
    store.put(&slot(number), &record(), blob, false).await
}

async fn look(store: &BlobStore, number: u8) -> Option<FileRecord> {
    store.look(&slot(number)).await.unwrap()
}

async fn read(store: &BlobStore, number: u8) -> Option<Vec<u8>> {
    let (stored, found) = store.find(&slot(number)).await.unwrap()?;
    let blob = found.read_into(Vec::new()).await.unwrap();
    assert_eq!(stored.size, blob.len() as u64);
    Some(blob)
}

/// When what expires at the beginning of `hour` may be swept.
fn due(hour: u32) -> u64 {
    (u64::from(hour) + 1) * HOUR
}

async fn what_was_put_is_found_and_survives_a_reopen(place: &Place) {
    let store = place.open(PLENTY).await;
    let large: Vec<u8> = (0..300_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    put(&store, 1, b"blob").await.unwrap();
    put(&store, 2, &large).await.unwrap();
    put(&store, 1, b"blob").await.unwrap();
    let used = Held::Counted(4096 + large.len() as u64 + RECORD_LEN as u64);
    assert_eq!(store.held(), used);
    drop(store);
    let store = place.open(PLENTY).await;
    assert_eq!(store.held(), used);
    assert_eq!(read(&store, 1).await.as_deref(), Some(b"blob".as_slice()));
    assert_eq!(read(&store, 2).await, Some(large));
    assert_eq!(read(&store, 3).await, None);
    let stored = look(&store, 1).await.unwrap();
    assert_eq!((stored.record, stored.size), (record(), 4));
    assert_eq!((stored.expiry_hour, stored.gone), (FIRST, false));
    assert!(look(&store, 3).await.is_none());
    assert!(store.probe().await.unwrap().works());
    assert_eq!(place.names().await.len(), 2);
}

async fn simultaneous_uploads_of_one_file_are_counted_once(place: &Place) {
    let store = place.open(10_000).await;
    let blob = [7; 9000];
    let all = (0..8).map(|_| put(&store, 1, &blob));
    for done in futures_util::future::join_all(all).await {
        done.unwrap();
    }
    assert_eq!(store.held(), Held::Counted(9000 + RECORD_LEN as u64));
    assert_eq!(put(&store, 2, b"x").await, Err(PutError::Full));
}

async fn a_full_store_takes_nothing_more_until_something_went(place: &Place) {
    let store = place.open(10_000).await;
    put(&store, 1, &[0; 9000]).await.unwrap();
    assert_eq!(put(&store, 2, &[0; 1000]).await, Err(PutError::Full));
    assert_eq!(
        store.extend(&slot(1), FIRST + 5).await,
        Err(StoreFault::Full)
    );
    assert!(look(&store, 2).await.is_none());
    let stored = look(&store, 1).await.unwrap();
    store.remove(&slot(1), &stored).await.unwrap();
    put(&store, 2, &[0; 1000]).await.unwrap();
    drop(store);
    let store = place.open(10_000).await;
    assert_eq!(
        store.held(),
        Held::Counted(2 * 4096),
        "counted anew from the listing"
    );
}

async fn the_latest_extension_counts(place: &Place) {
    let store = place.open(PLENTY).await;
    put(&store, 1, b"blob").await.unwrap();
    for later in [FIRST + 5, FIRST + 7, FIRST + 100_000] {
        assert!(store.extend(&slot(1), later).await.unwrap());
        assert!(store.extend(&slot(1), later).await.unwrap());
        let more = place.names_of("more").await;
        assert!(
            more.len() == 1 && more[0].ends_with(&format!("/{later}")),
            "the earlier one went: {more:?}"
        );
    }
    assert!(store.extend(&slot(1), FIRST + 9).await.unwrap());
    assert_eq!(look(&store, 1).await.unwrap().expiry_hour, FIRST + 100_000);
    let (stored, _found) = store.find(&slot(1)).await.unwrap().unwrap();
    assert_eq!(stored.expiry_hour, FIRST + 100_000);
    assert!(!store.extend(&slot(2), FIRST + 5).await.unwrap());
    assert_eq!(
        place.names().await.len(),
        3,
        "no extension of nothing stays"
    );
}

async fn a_removed_file_is_gone_for_reads_and_for_uploads(place: &Place) {
    let store = place.open(PLENTY).await;
    put(&store, 1, b"blob").await.unwrap();
    store.extend(&slot(1), FIRST + 5).await.unwrap();
    let stored = look(&store, 1).await.unwrap();
    store.remove(&slot(1), &stored).await.unwrap();
    store.remove(&slot(1), &stored).await.unwrap();
    assert_eq!(read(&store, 1).await, None);
    assert_eq!(put(&store, 1, b"blob").await, Err(PutError::Gone));
    assert!(!store.extend(&slot(1), FIRST + 9).await.unwrap());
    let known = look(&store, 1).await.unwrap();
    assert_eq!((known.record, known.size, known.gone), (record(), 4, true));
    assert_eq!(known.expiry_hour, FIRST + 5);
    assert!(
        !place.has("blob").await
            || place
                .names()
                .await
                .iter()
                .all(|name| !name.starts_with("blob"))
    );
    let swept = store.sweep(Some(due(FIRST + 5))).await.unwrap();
    assert_eq!(swept, Swept { blobs: 0 });
    assert!(place.names().await.is_empty());
    assert_eq!(store.held(), Held::Counted(0));
}

async fn receipts_are_counted_once(place: &Place) {
    let store = place.open(PLENTY).await;
    put(&store, 1, b"blob").await.unwrap();
    for (nonce, receipt) in [("aa", "first"), ("bb", "second"), ("aa", "first")] {
        let receipt = Bytes::from_static(receipt.as_bytes());
        store.put_receipt(&slot(1), nonce, receipt).await.unwrap();
    }
    let mut nonces = store.nonces(&slot(1)).await.unwrap();
    nonces.sort();
    assert_eq!(nonces, ["aa", "bb"]);
    let kept = store.receipt(&slot(1), "bb").await.unwrap();
    assert_eq!(kept.as_deref(), Some(b"second".as_slice()));
    assert_eq!(store.receipt(&slot(1), "cc").await.unwrap(), None);
    assert!(store.nonces(&slot(2)).await.unwrap().is_empty());
}

async fn the_sweep_takes_what_expired_an_hour_ago(place: &Place) {
    let store = place.open(PLENTY).await;
    for number in 1..=4 {
        put(&store, number, b"blob").await.unwrap();
    }
    store.extend(&slot(2), FIRST + 5).await.unwrap();
    store
        .put_receipt(&slot(3), "aa", Bytes::from_static(b"r"))
        .await
        .unwrap();
    let stored = look(&store, 4).await.unwrap();
    store.remove(&slot(4), &stored).await.unwrap();
    let before = place.names().await;
    for too_early in [None, Some(0), Some(due(FIRST) - 1)] {
        let swept = store.sweep(too_early).await.unwrap();
        assert_eq!(swept, Swept { blobs: 0 });
    }
    assert_eq!(place.names().await, before);
    let swept = store.sweep(Some(due(FIRST))).await.unwrap();
    assert_eq!(swept, Swept { blobs: 2 }, "1 and 3; 4 went before");
    assert_eq!(place.names().await.len(), 2, "2 and its extension");
    assert_eq!(read(&store, 2).await.as_deref(), Some(b"blob".as_slice()));
    let swept = store.sweep(Some(due(FIRST + 5))).await.unwrap();
    assert_eq!(swept, Swept { blobs: 1 });
    assert!(place.names().await.is_empty());
    assert_eq!(store.held(), Held::Counted(0));
}

async fn leftovers_are_met_again(place: &Place) {
    let store = place.open(PLENTY).await;
    put(&store, 1, b"blob").await.unwrap();
    let stored = look(&store, 1).await.unwrap();
    store.remove(&slot(1), &stored).await.unwrap();
    // As if the server had been killed between the two steps of the removal.
    let mut object = record().encode();
    object.extend_from_slice(b"blob");
    let id = slot(1).id().as_str().to_owned();
    place.put(&format!("blob/{FIRST}/{id}"), &object).await;
    // And as if a sweep had been killed after the blob of another file.
    let other = slot(2).id().as_str().to_owned();
    place
        .put(&format!("more/{FIRST}/{other}/{}", FIRST + 2), b"")
        .await;
    place.put(&format!("seen/{FIRST}/{other}/aa"), b"r").await;
    assert_eq!(
        read(&store, 1).await,
        None,
        "not even before it is finished"
    );
    store.sweep(Some(START)).await.unwrap();
    assert!(!place.has(&format!("blob/{FIRST}")).await);

    place.put(&format!("blob/{FIRST}/{id}"), &object).await;
    drop(store);
    let store = place.open(PLENTY).await;
    assert!(
        !place.has(&format!("blob/{FIRST}")).await,
        "finished at the start"
    );
    assert!(look(&store, 1).await.unwrap().gone);
    store.sweep(Some(due(FIRST + 2))).await.unwrap();
    assert!(place.names().await.is_empty());
}

/// A folder keeps its total on the disk; other stores are counted at each start.
#[tokio::test]
async fn a_folder_knows_its_total_when_it_is_opened_again() {
    const LIMIT: u64 = 640_000;
    let place = Place::folder();
    let store = place.open_uncounted(LIMIT).await;
    assert_eq!(store.held(), Held::Counted(0), "nothing is in a new folder");
    put(&store, 1, &[1; 100_000]).await.unwrap();
    put(&store, 2, &[2; 100_000]).await.unwrap();
    let exactly = 2 * (100_000 + RECORD_LEN as u64);
    // As when the server is killed.
    drop(store);
    let store = place.open_uncounted(LIMIT).await;
    let noted = store.held().bytes().unwrap();
    assert!((exactly..=exactly + LIMIT / 64).contains(&noted), "{noted}");
    assert_eq!(store.held(), Held::AtMost(noted));
    store.rest().await;
    drop(store);
    let store = place.open_uncounted(LIMIT).await;
    assert_eq!(store.held(), Held::AtMost(noted), "nobody counted");
    store.count().await.unwrap();
    assert_eq!(store.held(), Held::Counted(exactly));
    store.rest().await;
    drop(store);
    let store = place.open_uncounted(LIMIT).await;
    assert_eq!(store.held(), Held::AtMost(exactly));
}

/// What fits the noted total is stored at once; the rest waits for the count, and only that says that the store is full.
#[tokio::test]
async fn the_limit_holds_when_a_server_was_killed() {
    const LIMIT: u64 = 640_000;
    let place = Place::folder();
    let store = place.open_uncounted(LIMIT).await;
    for number in 0..6 {
        put(&store, number, &[number; 100_000]).await.unwrap();
    }
    let stored = look(&store, 0).await.unwrap();
    store.remove(&slot(0), &stored).await.unwrap();
    drop(store);
    for kill in 0..3 {
        drop(place.open_uncounted(LIMIT).await);
        let store = place.open_uncounted(LIMIT).await;
        let blob = [kill; 100_000];
        let mut waiting = std::pin::pin!(put(&store, 10 + kill, &blob));
        // The total on the disk is from before the removal.
        for _ in 0..5 {
            assert!(futures_util::poll!(&mut waiting).is_pending());
            assert!(store.probe().await.unwrap().works());
        }
        store.count().await.unwrap();
        let room_for_one = if kill == 0 {
            Ok(())
        } else {
            Err(PutError::Full)
        };
        assert_eq!(waiting.await, room_for_one, "kill {kill}");
    }
}

#[tokio::test]
async fn a_damaged_total_is_counted_anew() {
    let place = Place::folder();
    let store = place.open_uncounted(PLENTY).await;
    put(&store, 1, &[1; 100_000]).await.unwrap();
    store.rest().await;
    drop(store);
    let folder = place.location.folder().unwrap();
    std::fs::write(folder.join("total"), "cloakroom total 1 12").unwrap();
    let store = place.open_uncounted(PLENTY).await;
    assert_eq!(store.held(), Held::Unknown);
    put(&store, 2, &[2; 100_000]).await.unwrap();
    store.count().await.unwrap();
    let both = 2 * (100_000 + RECORD_LEN as u64);
    assert_eq!(store.held(), Held::Counted(both));
    drop(store);
    let store = place.open_uncounted(PLENTY).await;
    assert!(matches!(store.held(), Held::AtMost(noted) if noted >= both));
}

/// A disk that went away shows an empty folder, which is no store without files.
#[cfg(unix)]
#[tokio::test]
async fn a_count_of_a_lost_folder_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (root, away) = (home.path().join("store"), home.path().join("away"));
    let location = StoreLocation::Folder(root.clone());
    let open = || BlobStore::open(&location, PLENTY, std::time::Duration::from_secs(20));
    let store = open().await.unwrap();
    put(&store, 1, &[1; 100_000]).await.unwrap();
    let held = store.held();
    let noted = std::fs::read(root.join("total")).unwrap();
    std::fs::rename(&root, &away).unwrap();
    for kind in ["blob", "gone", "more", "seen"] {
        std::fs::create_dir_all(root.join(kind)).unwrap();
    }
    assert_eq!(store.count().await, Err(StoreFault::Failed));
    assert_eq!(store.sweep(None).await, Err(StoreFault::Failed));
    assert_eq!(store.held(), held);
    store.rest().await;
    assert!(!root.join("total").exists(), "nothing is noted beside it");
    assert_eq!(std::fs::read(away.join("total")).unwrap(), noted);
    std::fs::remove_dir_all(&root).unwrap();
    std::fs::rename(&away, &root).unwrap();
    store.count().await.unwrap();
    assert_eq!(store.held(), held);
}

async fn strangers_are_left_alone(place: &Place) {
    let store = place.open(PLENTY).await;
    let mut strangers = vec![
        "blob/500010/holiday.jpg".to_owned(),
        "notes/500010/AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        format!("blob/500011/{}", slot(1).id().as_str()),
    ];
    strangers.sort();
    for name in &strangers {
        place.put(name, b"mine").await;
    }
    store.sweep(Some(due(900_000))).await.unwrap();
    assert_eq!(place.names().await, strangers);
}

async fn an_extension_and_a_sweep_at_once_lose_nothing(place: &Place) {
    let sweeper = place.open(PLENTY).await;
    // In a folder, one process; elsewhere, another server.
    let visitor = BlobStore::visit(&place.location, std::time::Duration::from_secs(20))
        .await
        .unwrap();
    for number in 0..12 {
        put(&sweeper, number, b"blob").await.unwrap();
        // Extended once already, so that it lives when the sweep looks at it.
        sweeper.extend(&slot(number), FIRST + 2).await.unwrap();
    }
    let now = due(FIRST + 2) - 1;
    let extending = futures_util::future::join_all((0..12).map(|number| {
        let visitor = &visitor;
        async move { visitor.extend(&slot(number), FIRST + 50).await.unwrap() }
    }));
    let sweeping = async {
        for _ in 0..3 {
            sweeper.sweep(Some(now)).await.unwrap();
        }
    };
    let (extended, ()) = tokio::join!(extending, sweeping);
    assert!(extended.iter().all(|done| *done));
    sweeper.sweep(Some(due(FIRST + 49))).await.unwrap();
    for number in 0..12 {
        assert_eq!(
            look(&sweeper, number).await.unwrap().expiry_hour,
            FIRST + 50
        );
        assert!(read(&sweeper, number).await.is_some());
    }
}

/// The sweep is told a time years after the one that the store writes to its objects.
async fn a_check_works_while_a_sweep_runs_whatever_the_clock_says(place: &Place) {
    let store = place.open(PLENTY).await;
    for _ in 0..50 {
        let (probed, swept) = tokio::join!(store.probe(), store.sweep(Some(due(900_000))));
        assert!(probed.unwrap().works());
        swept.unwrap();
    }
    assert!(!place.has("probe").await);
}

async fn an_operator_removes_and_blocks_while_a_server_runs(place: &Place) {
    let serving = Serving::start(place.location.clone(), |_config| {}).await;
    let operator = Operator::visit(&place.location).await.unwrap();
    let removed = serving.share(owned(vec![1; 100], &token(1))).await.id;
    let blocked = serving.share(owned(vec![2; 100], &token(1))).await.id;
    assert!(operator.remove(&removed).await.unwrap());
    assert!(operator.block(&blocked).await.unwrap());
    assert!(!operator.block(&blocked).await.unwrap());
    assert!(
        operator
            .remove(&FileId::parse("1234567").unwrap())
            .await
            .is_err()
    );
    for id in [&removed, &blocked] {
        assert_eq!(serving.code(&FileRequest::Download(id.clone())).await, 404);
        let status = FileRequest::Status {
            id: id.clone(),
            token: token(1),
        };
        assert_eq!(
            serving.code(&status).await,
            404,
            "the owner is told no more"
        );
        let delete = FileRequest::Delete {
            id: id.clone(),
            token: token(1),
        };
        assert_eq!(serving.code(&delete).await, 404);
    }
    let again = |byte| FileRequest::Upload(owned(vec![byte; 100], &token(1)));
    assert_eq!(serving.code(&again(1)).await, 200, "removed is not blocked");
    assert_eq!(serving.code(&again(2)).await, 404);
    assert_eq!(
        serving.code(&FileRequest::Download(blocked.clone())).await,
        404
    );
    assert_eq!(serving.code(&FileRequest::Download(removed)).await, 200);
    assert_eq!(operator.held().await.unwrap(), Held::Counted(2 * 4096));
    assert_eq!(operator.last_hour().await.unwrap(), Some(500_000));
    serving.server.stop().await;
    // The block lasts over a restart.
    let now = Arc::new(AtomicU64::new(START));
    let serving = Serving::try_start(place.location.clone(), now, |_config| {})
        .await
        .unwrap();
    assert_eq!(serving.code(&again(2)).await, 404);
}

/// Through the server: upload, download, extend, receipts up to the last one, status, delete, sweep.
async fn a_file_lives_its_whole_life(place: &Place) {
    let serving = Serving::start(place.location.clone(), |config| {
        config.settings.plain_http = true;
    })
    .await;
    let key = FileKey::from_bytes([8; 32]);
    let blob = vec![3; 65_536];
    let stored = serving
        .share(Upload {
            expiry: Some(Expiry::InSecs(2 * HOUR)),
            receipts: Some(ReceiptTerms {
                key: receipt_key(&key).public(),
                max_downloads: Some(2),
            }),
            ..owned(blob.clone(), &token(1))
        })
        .await;
    let id = stored.id;
    let download = FileRequest::Download(id.clone());
    let found = serving.ask(&download).await;
    assert_eq!(*file_api::read_found(found).unwrap(), blob);
    let plain = serving
        .plain("GET", &format!("/file/{}", id.as_str()), "", b"")
        .await;
    assert_eq!((plain.status, plain.body), (200, blob));

    let extend = FileRequest::Extend {
        id: id.clone(),
        expiry: Some(Expiry::InSecs(9 * HOUR)),
        token: Some(token(1)),
    };
    let extended = serving.ask(&extend).await;
    let extended: file_api::FileInfo = serde_json::from_slice(&extended.body).unwrap();
    assert!((extended.expires - (START + 9 * HOUR) as f64).abs() < 1.0);
    serving.set(START + 5 * HOUR);

    let receipts: Vec<_> = (0..3)
        .map(|_| DownloadReceipt::make(&key, &id, &mut random::system()))
        .collect();
    let tell = |receipt: &DownloadReceipt| FileRequest::Receipt {
        id: id.clone(),
        receipt: receipt.clone(),
    };
    for receipt in [&receipts[0], &receipts[0], &receipts[1]] {
        assert_eq!(serving.code(&download).await, 200);
        assert_eq!(serving.code(&tell(receipt)).await, 200);
    }
    assert_eq!(
        serving.code(&download).await,
        404,
        "the last one used it up"
    );
    assert_eq!(serving.code(&tell(&receipts[1])).await, 200, "told again");
    assert_eq!(serving.code(&tell(&receipts[2])).await, 404);

    let status = FileRequest::Status {
        id: id.clone(),
        token: token(1),
    };
    let status = file_api::read_status(&serving.ask(&status).await).unwrap();
    assert_eq!(
        (status.size, status.allowed, status.receipts.len()),
        (65_536, 2, 2)
    );
    assert!(
        status
            .receipts
            .iter()
            .all(|receipt| receipts[..2].contains(receipt))
    );
    let delete = FileRequest::Delete {
        id: id.clone(),
        token: token(1),
    };
    assert_eq!(serving.code(&delete).await, 200);

    serving.set(START + 9 * HOUR);
    assert_eq!(serving.code(&delete).await, 404, "expired");
    serving.server.stop().await;
    let store = place.open(PLENTY).await;
    store.sweep(Some(START + 10 * HOUR)).await.unwrap();
    assert!(place.names().await.is_empty());
}
