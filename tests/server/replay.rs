//! Requests that somebody recorded and sends again: whenever that is, nothing changes. The server's clock is moved by the
//! test; the bytes are those that went over the wire.

use cloakroom::protocol::address::FileId;
use cloakroom::protocol::capability::expiry::{expiry_hour, hour_of};
use cloakroom::protocol::capability::work::{WorkBase, WorkSearch};
use cloakroom::protocol::capability::{AccessWord, OwnedId};
use cloakroom::protocol::digest::Digest;
use cloakroom::protocol::file_api::{self, Expiry, FileInfo, FileRequest, Upload};
use cloakroom::protocol::onion::{Built, HopCipher};

use crate::server::serving::{HOUR, START, Serving, owned, post_sealed, sealed, token};
use crate::server::stores::Place;

const MINUTE: u64 = 60;
/// The memory of repeated requests is an hour long; these are beyond it.
const LATER: [u64; 3] = [61, 122, 183];

struct Fixture {
    place: Place,
    serving: Serving,
}

impl Fixture {
    /// A server that asks for a word and for work, so that a recorded upload is worth something.
    async fn new() -> Self {
        let place = Place::memory();
        let serving = Serving::start(place.location.clone(), |config| {
            config.settings.access_word = Some(word());
            config.settings.work = WorkBase::from_bits(14);
        })
        .await;
        Self { place, serving }
    }

    fn upload(&self, blob: &[u8], hours: u64) -> (FileId, FileRequest) {
        let hour = expiry_hour(START, hours * HOUR);
        let id = OwnedId::new(hour, &token(1).hash(), &Digest::of(blob));
        let key = &self.serving.server.address().key;
        let upload = FileRequest::Upload(Upload {
            expiry: Some(Expiry::AtHour(hour)),
            access: Some(word()),
            work: WorkSearch::new(key, &id, 14, 0).run(10_000_000),
            ..owned(blob.to_vec(), &token(1))
        });
        (id.file_id(), upload)
    }

    fn record(&self, request: &FileRequest) -> Built {
        sealed(self.serving.server.address(), request, HopCipher::XChaCha20)
    }

    /// Sends recorded bytes; the status inside where the server opened them, else the one outside.
    async fn send(&self, recorded: &Built) -> u16 {
        let to = self.serving.server.address();
        let answer = post_sealed(to, &recorded.body).await.unwrap();
        if answer.status != 200 {
            return answer.status;
        }
        recorded.reply.open(answer.body).unwrap().response.code
    }

    async fn expires(&self, id: &FileId) -> FileInfo {
        let answer = self.serving.ask(&FileRequest::FileInfo(id.clone())).await;
        file_api::read_file_info(&answer).unwrap()
    }

    async fn count(&self, kind: &str) -> usize {
        self.place.names_of(kind).await.len()
    }
}

fn word() -> AccessWord {
    AccessWord::parse("sesame").unwrap()
}

#[tokio::test]
async fn a_recorded_upload_stores_the_one_file_it_stored() {
    let fixture = Fixture::new().await;
    let (id, upload) = fixture.upload(&[1; 500], 24);
    let recorded = fixture.record(&upload);
    assert_eq!(fixture.send(&recorded).await, 200);
    let before = fixture.expires(&id).await;
    assert_eq!(fixture.send(&recorded).await, 400, "remembered for an hour");
    for minutes in LATER {
        fixture.serving.set(START + minutes * MINUTE);
        assert_eq!(fixture.send(&recorded).await, 200);
        let stored = fixture.place.names_of("blob").await;
        assert!(stored.len() == 1 && stored[0].ends_with(id.as_str()));
        assert_eq!(fixture.expires(&id).await, before, "{minutes}");
    }
}

#[tokio::test]
async fn a_recorded_upload_of_a_deleted_file_stores_nothing_until_it_is_refused() {
    let fixture = Fixture::new().await;
    let (id, upload) = fixture.upload(&[1; 500], 4);
    let recorded = fixture.record(&upload);
    assert_eq!(fixture.send(&recorded).await, 200);
    let delete = FileRequest::Delete {
        id: id.clone(),
        token: token(1),
    };
    assert_eq!(fixture.serving.code(&delete).await, 200);
    for minutes in LATER {
        fixture.serving.set(START + minutes * MINUTE);
        assert_eq!(fixture.send(&recorded).await, 404, "{minutes}");
        assert_eq!(fixture.count("blob").await, 0, "{minutes}");
    }
    // Whatever the sweep has taken by then, the hour has begun.
    for hours in [4, 5, 6, 30, 1_000] {
        fixture.serving.set(START + hours * HOUR);
        assert_eq!(fixture.send(&recorded).await, 400, "{hours}");
        assert_eq!(fixture.count("blob").await, 0, "{hours}");
    }
}

/// The sweep forgets that a file was deleted; from then on its hour refuses the upload, also on a server whose clock is
/// half an hour behind the one that swept.
#[tokio::test]
async fn what_is_known_of_a_deleted_file_outlives_the_last_moment_of_its_upload() {
    for behind in [0, 30 * MINUTE] {
        let fixture = Fixture::new().await;
        let (id, upload) = fixture.upload(&[1; 500], 4);
        let recorded = fixture.record(&upload);
        assert_eq!(fixture.send(&recorded).await, 200);
        let delete = FileRequest::Delete {
            id,
            token: token(1),
        };
        assert_eq!(fixture.serving.code(&delete).await, 200);
        let expiry = START + 4 * HOUR;
        let sweeper = fixture.place.open(1 << 30).await;
        for (at, kept) in [(expiry + HOUR - 1, 1), (expiry + HOUR, 0)] {
            sweeper.sweep(Some(at)).await.unwrap();
            assert_eq!(fixture.count("gone").await, kept);
            fixture.serving.set(at - behind);
            assert_eq!(fixture.send(&recorded).await, 400);
        }
        assert_eq!(fixture.count("blob").await, 0);
    }
}

#[tokio::test]
async fn a_recorded_extension_extends_once() {
    let fixture = Fixture::new().await;
    let (id, upload) = fixture.upload(&[1; 500], 4);
    assert_eq!(fixture.send(&fixture.record(&upload)).await, 200);
    let extend = FileRequest::Extend {
        id: id.clone(),
        expiry: Some(Expiry::AtHour(hour_of(START) + 8)),
        token: Some(token(1)),
    };
    let recorded = fixture.record(&extend);
    assert_eq!(fixture.send(&recorded).await, 200);
    let extended = fixture.expires(&id).await;
    assert_eq!(fixture.count("more").await, 1);
    for minutes in LATER {
        fixture.serving.set(START + minutes * MINUTE);
        assert_eq!(fixture.send(&recorded).await, 200, "{minutes}");
        assert_eq!(fixture.expires(&id).await, extended, "{minutes}");
        assert_eq!(fixture.count("more").await, 1, "{minutes}");
    }
    fixture.serving.set(START + 8 * HOUR);
    assert_eq!(fixture.send(&recorded).await, 400);
    let info = FileRequest::FileInfo(id);
    assert_eq!(fixture.serving.code(&info).await, 404, "it expired");
}

#[tokio::test]
async fn a_recorded_extension_does_not_undo_a_deletion() {
    let fixture = Fixture::new().await;
    let (id, upload) = fixture.upload(&[1; 500], 4);
    assert_eq!(fixture.send(&fixture.record(&upload)).await, 200);
    let extend = FileRequest::Extend {
        id: id.clone(),
        expiry: Some(Expiry::AtHour(hour_of(START) + 8)),
        token: Some(token(1)),
    };
    let recorded = fixture.record(&extend);
    assert_eq!(fixture.send(&recorded).await, 200);
    let delete = FileRequest::Delete {
        id: id.clone(),
        token: token(1),
    };
    assert_eq!(fixture.serving.code(&delete).await, 200);
    fixture.serving.set(START + 61 * MINUTE);
    assert_eq!(fixture.send(&recorded).await, 404);
    let download = FileRequest::Download(id);
    assert_eq!(fixture.serving.code(&download).await, 404);
}

#[tokio::test]
async fn one_proof_of_work_stores_one_file() {
    let fixture = Fixture::new().await;
    let (_id, upload) = fixture.upload(&[1; 500], 24);
    let FileRequest::Upload(first) = &upload else {
        unreachable!()
    };
    assert_eq!(fixture.serving.code(&upload).await, 200);
    for number in 2..=40 {
        let hours = [24, 25][usize::from(number % 2)];
        let other = FileRequest::Upload(Upload {
            expiry: Some(Expiry::AtHour(hour_of(START) + hours)),
            owner: Some(token(number).hash()),
            access: Some(word()),
            work: first.work,
            ..Upload::new(first.blob.clone())
        });
        assert_eq!(fixture.serving.code(&other).await, 428, "{number}");
    }
    assert_eq!(fixture.count("blob").await, 1);
}
