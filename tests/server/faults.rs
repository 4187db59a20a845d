//! A store that fails, hangs, is full or breaks off: the server says so, goes on, and keeps what it had.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use cloakroom::protocol::file_api::{self, Expiry, FileRequest, Upload};
use cloakroom::protocol::onion::HopCipher;
use cloakroom::server::files::record::RECORD_LEN;
use cloakroom::server::operate::control::{self, ControlRequest, ControlResponse};
use cloakroom::server::operate::stats::Counter;
use cloakroom::server::store::location::StoreLocation;
use cloakroom::server::store::{BlobStore, Held, StoreFault, Swept};
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::server::serving::{
    self, HOUR, START, Serving, ask_over, download, owned, post_sealed, sealed, token,
};

/// A store in memory that does what the test says.
#[derive(Debug, Default)]
struct Faulty {
    inner: InMemory,
    mode: Mutex<Mode>,
    deletes_left: AtomicUsize,
    before_deleting: Arc<Gate>,
    before_extending: Arc<Gate>,
    before_listing_blobs: Arc<Gate>,
    probes: AtomicUsize,
}

/// Where whoever comes waits, while it is closed.
#[derive(Debug, Default)]
struct Gate {
    closed: AtomicBool,
    somebody_came: Notify,
    opened: Notify,
}

impl Gate {
    async fn pass(&self) {
        if self.closed.load(Ordering::SeqCst) {
            self.somebody_came.notify_one();
            self.opened.notified().await;
        }
    }

    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    async fn somebody_came(&self) {
        tokio::time::timeout(LONG, self.somebody_came.notified())
            .await
            .expect("somebody comes to the gate");
    }

    /// For the one who waits and for all who come later.
    fn open(&self) {
        self.closed.store(false, Ordering::SeqCst);
        self.opened.notify_one();
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    /// Blobs break off after their first bytes.
    Breaks,
    Fails,
    /// Deletes as often as `deletes_left` says, then fails.
    FailsDeletes,
    /// Like a disk without room: nothing new, but deletions.
    Full,
    HangsDeleting,
    HangsReading,
    HangsWriting,
    /// Blobs stop coming after their first bytes.
    Stalls,
    #[default]
    Well,
}

impl Faulty {
    fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    fn mode(&self) -> Mode {
        *self.mode.lock().unwrap()
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

fn fault(kind: io::ErrorKind) -> Error {
    Error::Generic {
        store: "faulty",
        source: Box::new(io::Error::from(kind)),
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

impl ObjectStore for Faulty {
    fn put_opts<'life0, 'life1, 'async_trait>(
        &'life0 self,
        location: &'life1 Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Answer<'async_trait, PutResult>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            match self.mode() {
                Mode::Fails => Err(fault(io::ErrorKind::Other)),
                Mode::Full => Err(fault(io::ErrorKind::StorageFull)),
                Mode::HangsWriting => std::future::pending().await,
                Mode::Breaks
                | Mode::FailsDeletes
                | Mode::HangsDeleting
                | Mode::HangsReading
                | Mode::Stalls
                | Mode::Well => {
                    if location.as_ref().starts_with("more/") {
                        self.before_extending.pass().await;
                    }
                    if location.as_ref().starts_with("probe/") {
                        self.probes.fetch_add(1, Ordering::SeqCst);
                    }
                    self.inner.put_opts(location, payload, opts).await
                }
            }
        })
    }

    fn put_multipart_opts<'life0, 'life1, 'async_trait>(
        &'life0 self,
        location: &'life1 Path,
        opts: PutMultipartOptions,
    ) -> Answer<'async_trait, Box<dyn MultipartUpload>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        self.inner.put_multipart_opts(location, opts)
    }

    fn get_opts<'life0, 'life1, 'async_trait>(
        &'life0 self,
        location: &'life1 Path,
        options: GetOptions,
    ) -> Answer<'async_trait, GetResult>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            match self.mode() {
                Mode::Fails => Err(fault(io::ErrorKind::Other)),
                Mode::HangsReading => std::future::pending().await,
                mode @ (Mode::Breaks | Mode::Stalls) => {
                    let mut result = self.inner.get_opts(location, options).await?;
                    let start = Bytes::from(result.bytes_of(500).await?);
                    let start = futures_util::stream::iter([Ok(start)]);
                    let payload = if mode == Mode::Breaks {
                        let broken = Err(fault(io::ErrorKind::ConnectionReset));
                        start.chain(futures_util::stream::iter([broken])).boxed()
                    } else {
                        start.chain(futures_util::stream::pending()).boxed()
                    };
                    result.payload = GetResultPayload::Stream(payload);
                    Ok(result)
                }
                Mode::Full
                | Mode::FailsDeletes
                | Mode::HangsDeleting
                | Mode::HangsWriting
                | Mode::Well => self.inner.get_opts(location, options).await,
            }
        })
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let left = &self.deletes_left;
        let fails = match self.mode() {
            Mode::Fails => true,
            Mode::FailsDeletes => left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                    left.checked_sub(1)
                })
                .is_err(),
            _ => false,
        };
        if fails {
            return futures_util::stream::iter([Err(fault(io::ErrorKind::Other))]).boxed();
        }
        if self.mode() == Mode::HangsDeleting {
            return futures_util::stream::pending().boxed();
        }
        let gate = Arc::clone(&self.before_deleting);
        let deleted = self.inner.delete_stream(locations);
        let passed = async move {
            gate.pass().await;
            deleted
        };
        passed.flatten_stream().boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.mode() {
            Mode::Fails => futures_util::stream::iter([Err(fault(io::ErrorKind::Other))]).boxed(),
            Mode::HangsReading => futures_util::stream::pending().boxed(),
            _ if prefix.is_some_and(|prefix| prefix.as_ref() == "blob") => {
                let gate = Arc::clone(&self.before_listing_blobs);
                let listed = self.inner.list(prefix);
                let passed = async move {
                    gate.pass().await;
                    listed
                };
                passed.flatten_stream().boxed()
            }
            _ => self.inner.list(prefix),
        }
    }

    fn list_with_delimiter<'life0, 'life1, 'async_trait>(
        &'life0 self,
        prefix: Option<&'life1 Path>,
    ) -> Answer<'async_trait, ListResult>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        self.inner.list_with_delimiter(prefix)
    }

    fn copy_opts<'life0, 'life1, 'life2, 'async_trait>(
        &'life0 self,
        from: &'life1 Path,
        to: &'life2 Path,
        options: CopyOptions,
    ) -> Answer<'async_trait, ()>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        Self: 'async_trait,
    {
        self.inner.copy_opts(from, to, options)
    }
}

/// The first bytes of a result.
trait BytesOf {
    async fn bytes_of(&mut self, len: usize) -> Result<Vec<u8>>;
}

impl BytesOf for GetResult {
    async fn bytes_of(&mut self, len: usize) -> Result<Vec<u8>> {
        let payload = GetResultPayload::Stream(futures_util::stream::empty().boxed());
        let GetResultPayload::Stream(mut stream) = std::mem::replace(&mut self.payload, payload)
        else {
            return Ok(Vec::new());
        };
        let mut bytes = Vec::new();
        while let Some(piece) = stream.next().await {
            bytes.extend_from_slice(&piece?);
        }
        bytes.truncate(len);
        Ok(bytes)
    }
}

async fn serve(patience: Duration) -> (Arc<Faulty>, Serving) {
    let faulty = Arc::new(Faulty::default());
    let serving = serve_at(&faulty, patience, 10 << 30).await;
    (faulty, serving)
}

async fn serve_at(faulty: &Arc<Faulty>, patience: Duration, max_total: u64) -> Serving {
    let objects: Arc<dyn ObjectStore> = Arc::clone(faulty) as _;
    Serving::start(StoreLocation::Objects(objects), |config| {
        config.settings.store_timeout = patience;
        config.settings.max_total = max_total;
        config.settings.plain_http = true;
        // Whoever asks here stands for many people.
        config.limit_addresses = false;
    })
    .await
}

async fn wait_for_count(serving: &Serving) -> Held {
    let gauges = serving.server.gauges();
    let counted = async {
        while !gauges.held().is_counted() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, counted)
        .await
        .expect("the store is counted");
    gauges.held()
}

/// What a check of the store says about its size: the bytes, and whether the server is counting.
async fn checked(serving: &Serving) -> (Option<u64>, bool) {
    match control::handle(&serving.server.operator(), ControlRequest::Check).await {
        ControlResponse::Checked(found) => (found.used_bytes, found.is_counting),
        other => panic!("{other:?}"),
    }
}

/// What the blob of [`upload`] takes in the store.
const UPLOAD_COST: u64 = 100_000 + RECORD_LEN as u64;

fn upload(byte: u8) -> FileRequest {
    FileRequest::Upload(owned(vec![byte; 100_000], &token(1)))
}

async fn health(serving: &Serving) -> u16 {
    serving.plain("GET", "/health", "", b"").await.status
}

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_server_answers_while_it_counts_and_its_total_is_exact_afterwards() {
    let (faulty, before) = serve(LONG).await;
    let old = before.share(owned(vec![1; 100_000], &token(1))).await.id;
    let kept = before.share(owned(vec![2; 100_000], &token(1))).await.id;
    before.server.stop().await;
    faulty.before_listing_blobs.close();
    let serving = serve_at(&faulty, LONG, 10 << 30).await;
    faulty.before_listing_blobs.somebody_came().await;
    assert_eq!(serving.server.gauges().held(), Held::Unknown);
    assert_eq!(checked(&serving).await, (None, true));
    let info = serving.ask(&FileRequest::ServerInfo).await;
    assert_eq!(file_api::read_server_info(&info).unwrap().free, None);
    assert_eq!(health(&serving).await, 200);
    assert_eq!(serving.code(&download(&kept)).await, 200);
    assert_eq!(serving.code(&upload(3)).await, 200);
    let passing = serving.share(owned(vec![4; 100_000], &token(1))).await.id;
    for id in [old, passing] {
        let delete = FileRequest::Delete {
            id,
            token: token(1),
        };
        assert_eq!(serving.code(&delete).await, 200);
    }
    assert!(!serving.server.gauges().held().is_counted());
    faulty.before_listing_blobs.open();
    let held = wait_for_count(&serving).await;
    // Two blobs, and two marks of deleted ones.
    let expected = 2 * UPLOAD_COST + 2 * 4096;
    assert_eq!(held, Held::Counted(expected));
    assert_eq!(checked(&serving).await, (Some(expected), false));
    serving.set(START + 1);
    let objects: Arc<dyn ObjectStore> = Arc::clone(&faulty) as _;
    let location = StoreLocation::Objects(objects);
    let again = BlobStore::open(&location, 1 << 30, LONG).await.unwrap();
    again.count().await.unwrap();
    assert_eq!(again.held(), held, "a count with nothing beside it agrees");
}

#[tokio::test]
async fn uploads_beyond_the_first_step_wait_for_the_count_and_are_judged_by_it() {
    let (faulty, before) = serve(LONG).await;
    assert_eq!(before.code(&upload(1)).await, 200);
    before.server.stop().await;
    for (max_total, code) in [(64 * 150_000, 200), (3 * UPLOAD_COST, 507)] {
        faulty.before_listing_blobs.close();
        let serving = serve_at(&faulty, LONG, max_total).await;
        faulty.before_listing_blobs.somebody_came().await;
        let waits = upload(9);
        if code == 200 {
            assert_eq!(serving.code(&upload(2)).await, 200, "within the step");
            let mut waiting = std::pin::pin!(serving.code(&waits));
            for _ in 0..5 {
                assert!(futures_util::poll!(&mut waiting).is_pending());
                assert_eq!(serving.code(&FileRequest::ServerInfo).await, 200);
            }
            faulty.before_listing_blobs.open();
            assert_eq!(waiting.await, 200);
        } else {
            let opened = async {
                assert_eq!(serving.code(&FileRequest::ServerInfo).await, 200);
                faulty.before_listing_blobs.open();
            };
            let other = upload(10);
            assert_eq!(tokio::join!(serving.code(&other), opened).0, 507);
        }
        wait_for_count(&serving).await;
        serving.server.stop().await;
    }
}

#[tokio::test]
async fn whoever_waits_too_long_for_the_count_may_try_again() {
    let faulty = Arc::new(Faulty::default());
    faulty.before_listing_blobs.close();
    let serving = serve_at(&faulty, SHORT, 1_000_000).await;
    assert_eq!(serving.code(&upload(1)).await, 503);
    assert!(!serving.server.gauges().held().is_counted());
}

#[tokio::test]
async fn whoever_asks_for_its_health_the_store_is_tried_once_a_second() {
    let (faulty, serving) = serve(LONG).await;
    let begun = Instant::now();
    for _ in 0..20 {
        let asked = futures_util::future::join_all((0..20).map(|_| health(&serving))).await;
        assert_eq!(asked, [200; 20]);
    }
    let tried = faulty.probes.load(Ordering::SeqCst);
    let most = usize::try_from(begun.elapsed().as_secs()).unwrap() + 1;
    assert!((1..=most).contains(&tried), "{tried} of 400 in {most} s");
}

#[tokio::test]
async fn a_store_that_fails_is_told_of_and_serves_again_when_it_is_well() {
    let (faulty, serving) = serve(LONG).await;
    let id = serving.share(owned(vec![1; 100_000], &token(1))).await.id;
    faulty.set(Mode::Fails);
    assert_eq!(serving.code(&upload(2)).await, 500);
    assert_eq!(serving.code(&download(&id)).await, 500);
    assert_eq!(serving.code(&FileRequest::FileInfo(id.clone())).await, 500);
    assert_eq!(serving.code(&FileRequest::ServerInfo).await, 200);
    assert_eq!(health(&serving).await, 503);
    assert_eq!(serving.server.stats().total(Counter::StoreFaults), 3);
    faulty.set(Mode::Well);
    let recovered = async {
        while health(&serving).await != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, recovered)
        .await
        .expect("the store is tried again after a second");
    assert_eq!(serving.code(&download(&id)).await, 200);
    assert_eq!(serving.code(&upload(2)).await, 200);
    serving.wait_for_memory().await;
}

#[tokio::test]
async fn a_store_that_hangs_holds_up_nobody_for_long() {
    let (faulty, serving) = serve(SHORT).await;
    let id = serving.share(owned(vec![1; 100_000], &token(1))).await.id;
    let began = Instant::now();
    faulty.set(Mode::HangsWriting);
    assert_eq!(serving.code(&upload(2)).await, 503);
    assert_eq!(serving.code(&download(&id)).await, 200, "reads go on");
    faulty.set(Mode::HangsReading);
    assert_eq!(serving.code(&download(&id)).await, 503);
    assert_eq!(health(&serving).await, 503);
    // More than may hang at once: all of them are answered. They connect one by one, since a system keeps only so many
    // connections for a program that is busy.
    let (to, request) = (serving.server.address(), &download(&id));
    let mut asking = Vec::new();
    for _ in 0..300 {
        let stream = TcpStream::connect(serving.addr()).await.unwrap();
        asking.push(async { ask_over(stream, to, request).await.unwrap().code });
    }
    let codes = futures_util::future::join_all(asking).await;
    assert!(codes.iter().all(|code| *code == 503));
    assert!(began.elapsed() < Duration::from_secs(30));
    assert_eq!(serving.code(&FileRequest::ServerInfo).await, 200);
}

#[tokio::test]
async fn a_full_store_refuses_uploads_and_lets_owners_make_room() {
    let (faulty, serving) = serve(LONG).await;
    let id = serving.share(owned(vec![1; 100_000], &token(1))).await.id;
    faulty.set(Mode::Full);
    assert_eq!(serving.code(&upload(2)).await, 507);
    assert_eq!(serving.code(&download(&id)).await, 200);
    let used = serving.server.gauges().held().bytes();
    let delete = FileRequest::Delete {
        id: id.clone(),
        token: token(1),
    };
    // There is no room to note that it is gone, not even afterwards; it goes all the same.
    assert_eq!(serving.code(&delete).await, 200);
    assert_eq!(serving.code(&download(&id)).await, 404);
    assert!(serving.server.gauges().held().bytes() < used);
    faulty.set(Mode::Well);
    assert_eq!(serving.code(&upload(2)).await, 200);
}

#[tokio::test]
async fn a_removal_that_breaks_off_is_finished_later_and_serves_nothing_meanwhile() {
    let (faulty, serving) = serve(LONG).await;
    let id = serving.share(owned(vec![1; 100_000], &token(1))).await.id;
    faulty.set(Mode::FailsDeletes);
    let delete = FileRequest::Delete {
        id: id.clone(),
        token: token(1),
    };
    assert_eq!(serving.code(&delete).await, 500);
    assert_eq!(serving.code(&download(&id)).await, 404);
    assert_eq!(
        serving.code(&upload(1)).await,
        404,
        "not uploaded again either"
    );
    faulty.set(Mode::Well);
    assert_eq!(serving.code(&delete).await, 200);
    let objects: Arc<dyn ObjectStore> = Arc::clone(&faulty) as _;
    let location = StoreLocation::Objects(objects);
    let store = BlobStore::open(&location, 1 << 30, LONG).await.unwrap();
    store.sweep(None).await.unwrap();
    assert_eq!(store.held(), Held::Counted(4096), "only that it is gone");
}

#[tokio::test]
async fn a_sweep_that_breaks_off_is_finished_by_the_next() {
    let (faulty, serving) = serve(LONG).await;
    for byte in 0..10 {
        assert_eq!(serving.code(&upload(byte)).await, 200);
    }
    let objects: Arc<dyn ObjectStore> = Arc::clone(&faulty) as _;
    let location = StoreLocation::Objects(objects);
    let store = BlobStore::open(&location, 1 << 30, LONG).await.unwrap();
    let later = START + 15 * 24 * HOUR;
    faulty.set(Mode::FailsDeletes);
    faulty.deletes_left.store(4, Ordering::SeqCst);
    assert_eq!(store.sweep(Some(later)).await, Err(StoreFault::Failed));
    faulty.set(Mode::Well);
    let Swept { blobs } = store.sweep(Some(later)).await.unwrap();
    assert_eq!(blobs, 6);
    assert_eq!(store.held(), Held::Counted(0));
}

#[tokio::test]
async fn a_blob_that_breaks_off_is_an_error_and_no_shorter_blob() {
    let (faulty, serving) = serve(LONG).await;
    let id = serving.share(Upload::new(vec![1; 100_000])).await.id;
    faulty.set(Mode::Breaks);
    assert_eq!(serving.code(&download(&id)).await, 500);
    let path = format!("/file/{}", id.as_str());
    let broken = serving::plain(serving.addr(), "GET", &path, "", b"").await;
    assert!(
        broken.is_err(),
        "the connection breaks before the length that was promised"
    );
    faulty.set(Mode::Well);
    assert_eq!(serving.code(&download(&id)).await, 200);
    serving.wait_for_memory().await;
}

/// Longer than a healthy store in memory takes on any machine.
const PATIENCE: Duration = Duration::from_millis(500);

#[tokio::test]
async fn a_blob_that_stalls_is_given_up_and_its_memory_given_back() {
    let (faulty, serving) = serve(PATIENCE).await;
    let id = serving.share(Upload::new(vec![1; 100_000])).await.id;
    faulty.set(Mode::Stalls);
    let code = serving.code(&download(&id)).await;
    assert!([500, 503].contains(&code), "{code}");
    let path = format!("/file/{}", id.as_str());
    let broken = serving::plain(serving.addr(), "GET", &path, "", b"").await;
    assert!(
        broken.is_err(),
        "the connection breaks before the length that was promised"
    );
    serving.wait_for_memory().await;
    faulty.set(Mode::Well);
    assert_eq!(serving.code(&download(&id)).await, 200);
    let whole = serving::plain(serving.addr(), "GET", &path, "", b"").await;
    assert_eq!(whole.unwrap().body.len(), 100_000);
}

#[tokio::test]
async fn a_removal_that_hangs_is_finished_later_and_serves_nothing_meanwhile() {
    let (faulty, serving) = serve(PATIENCE).await;
    let id = serving.share(owned(vec![1; 100_000], &token(1))).await.id;
    let other = serving.share(owned(vec![2; 100_000], &token(1))).await.id;
    faulty.set(Mode::HangsDeleting);
    let delete = FileRequest::Delete {
        id: id.clone(),
        token: token(1),
    };
    assert_eq!(serving.code(&delete).await, 503);
    assert_eq!(serving.code(&download(&id)).await, 404);
    assert_eq!(serving.code(&download(&other)).await, 200);
    assert_eq!(serving.code(&upload(3)).await, 200);
    let objects: Arc<dyn ObjectStore> = Arc::clone(&faulty) as _;
    let location = StoreLocation::Objects(objects);
    faulty.set(Mode::Well);
    let store = BlobStore::open(&location, 1 << 30, PATIENCE).await.unwrap();
    store.sweep(None).await.unwrap();
    assert_eq!(serving.code(&delete).await, 200);
    assert_eq!(serving.code(&download(&id)).await, 404);
    let later = START + 15 * 24 * HOUR;
    faulty.set(Mode::HangsDeleting);
    assert_eq!(store.sweep(Some(later)).await, Err(StoreFault::Hangs));
    faulty.set(Mode::Well);
    let Swept { blobs } = store.sweep(Some(later)).await.unwrap();
    assert_eq!(
        blobs, 2,
        "the other and the one that was uploaded meanwhile"
    );
    assert_eq!(store.held(), Held::Counted(0));
    serving.wait_for_memory().await;
}

/// Two servers on one store: one has found a file due and is about to delete it, when the other, which took the request
/// while the file lived, comes to write the extension.
#[tokio::test]
async fn a_file_that_a_sweep_has_judged_is_not_said_to_be_extended() {
    let (faulty, serving) = serve(LONG).await;
    let stored = serving
        .share(Upload {
            expiry: Some(Expiry::InSecs(HOUR)),
            ..owned(vec![1; 100_000], &token(1))
        })
        .await;
    let extend = FileRequest::Extend {
        id: stored.id.clone(),
        expiry: Some(Expiry::InSecs(24 * HOUR)),
        token: Some(token(1)),
    };
    let objects: Arc<dyn ObjectStore> = Arc::clone(&faulty) as _;
    let location = StoreLocation::Objects(objects);
    let sweeper = BlobStore::open(&location, 1 << 30, LONG).await.unwrap();

    serving.set(stored.expires.unwrap() - 1);
    faulty.before_extending.close();
    let extending = async {
        let code = serving.code(&extend).await;
        // Only now goes the blob: the answer does not hang on that.
        faulty.before_deleting.open();
        code
    };
    let sweeping = async {
        faulty.before_extending.somebody_came().await;
        serving.set(stored.expires.unwrap() + HOUR);
        faulty.before_deleting.close();
        let opening = async {
            faulty.before_deleting.somebody_came().await;
            faulty.before_extending.open();
        };
        let sweeping = sweeper.sweep(Some(stored.expires.unwrap() + HOUR));
        tokio::join!(sweeping, opening).0.unwrap()
    };
    let (extended, swept) = tokio::join!(extending, sweeping);
    assert_eq!((extended, swept), (404, Swept { blobs: 1 }));
    assert_eq!(serving.code(&download(&stored.id)).await, 404);
    sweeper
        .sweep(Some(stored.expires.unwrap() + 48 * HOUR))
        .await
        .unwrap();
    assert_eq!(
        sweeper.held(),
        Held::Counted(0),
        "no extension of nothing stays"
    );
}

/// A stranger who posts what is not for this server, twice, or cut short, changes nothing and is counted.
#[tokio::test]
async fn what_is_no_request_is_refused_and_counted() {
    let (_faulty, serving) = serve(LONG).await;
    let to = serving.server.address();
    let built = sealed(to, &upload(1), HopCipher::AesGcm);
    assert_eq!(post_sealed(to, &built.body).await.unwrap().status, 200);
    assert_eq!(post_sealed(to, &built.body).await.unwrap().status, 400);
    assert_eq!(
        post_sealed(to, &built.body[..1000]).await.unwrap().status,
        400
    );
    assert_eq!(serving.server.stats().total(Counter::Invalid), 2);
    assert_eq!(serving.server.stats().total(Counter::Uploads), 1);
    assert_eq!(serving.server.stats().total(Counter::UploadBytes), 100_000);
}
