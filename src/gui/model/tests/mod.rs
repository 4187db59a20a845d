//! Each rule of the model, one test; here is what several of these modules use.

mod copying;
mod drops;
mod joining;
mod listing;
mod managing;
mod parts;
mod progress;
mod receiving;
mod remedies;
mod rows;
mod settings;
mod together;
mod undo;
mod window;

use zeroize::Zeroizing;

use super::*;
use crate::app::error::{AppError, ServerRefusal};
use crate::app::received::save::SaveError;
use crate::app::relays::RelaySource;
use crate::app::settings::{Change, Contrast, ServerEntry, SeveralThings, Theme};
use crate::app::transfer::stage::{FirstStop, Stage};
use crate::app::words::who_saw_what::{Asked, RequestShown, WhoSawWhat};
use crate::gui::platform::uri_list::UriList;
use crate::gui::text;
use crate::protocol::capability::AccessWord;
use crate::protocol::disclosure::{AttemptShown, End, ShownOutcome as TryOutcome};
use crate::protocol::keys::Identity;

pub(super) fn settings() -> Settings {
    Settings {
        welcomed: true,
        ..Settings::default()
    }
}

/// The network of one server, through Session's relays, is in use.
pub(super) fn with_session_relays() -> Settings {
    let known = server("files.example").through(RelaySource::Session);
    Settings {
        chosen: ServerChoice::Server(known.address.clone()),
        servers: vec![known],
        ..settings()
    }
}

/// Several things that come together are shared one by one.
pub(super) fn one_each() -> Settings {
    Settings {
        several_things: SeveralThings::OneEach,
        ..settings()
    }
}

/// A model that begins with these settings.
pub(super) fn model_with(settings: Settings) -> Model {
    Model::new(LoadedSettings {
        settings,
        usual_downloads: PathBuf::from("/home/ada/Downloads"),
        trouble: None,
    })
}

pub(super) fn model() -> Model {
    model_with(settings())
}

pub(super) fn file(name: &str) -> FoundPath {
    FoundPath {
        path: PathBuf::from("/tmp").join(name),
        name: name.to_owned(),
        kind: FoundKind::File { len: 1_000 },
        known: None,
    }
}

fn folder(name: &str) -> FoundPath {
    FoundPath {
        kind: FoundKind::Folder { len: Some(2_000) },
        ..file(name)
    }
}

/// So many hundredths of a file are uploaded.
const fn uploaded(percent: u64) -> Stage {
    Stage::Upload {
        sent: percent,
        total: 100,
    }
}

/// A model that shares these files, each by itself.
fn with_files(names: &[&str]) -> (Model, Vec<Effect>) {
    let mut model = model_with(one_each());
    let effects = model.update(Event::Looked(
        LookPurpose::Share,
        names.iter().map(|name| file(name)).collect(),
    ));
    (model, effects)
}

fn shares(effects: &[Effect]) -> Vec<(RunId, String)> {
    let name = |path: &PathBuf| {
        path.file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    };
    let share = |effect: &Effect| match effect {
        Effect::Work(Work::Request(RequestWork::Share(run, wanted, _))) => {
            let names: Vec<String> = wanted.paths.iter().map(name).collect();
            Some((*run, names.join("+")))
        }
        _ => None,
    };
    effects.iter().filter_map(share).collect()
}

pub(super) fn trouble() -> UserMessage {
    UserMessage {
        what: "what".to_owned(),
        why: "why".to_owned(),
        next: "next".to_owned(),
        remedy: crate::app::words::message::Remedy::Retry,
    }
}

/// The time of events for which it does not matter.
const NEVER: Duration = Duration::ZERO;

/// Ended so, after one request with one try.
pub(super) fn ended<T>(result: Result<T, UserMessage>) -> Ended<T> {
    let result = result.map_err(Trouble::from);
    let attempt = AttemptShown {
        at: 7,
        path: None,
        proxy: None,
        end: End::Server,
        relaxed: Vec::new(),
        same_bytes_back: false,
        server: "http://files.example".parse().expect("an address"),
        names_file: true,
        sent: vec![2_560],
        answered: Vec::new(),
        outcome: TryOutcome::Sent,
    };
    let shown = WhoSawWhat::from_iter([RequestShown {
        asked: Asked::Upload,
        attempts: vec![attempt],
    }]);
    Ended { result, shown }
}

fn shared() -> ShareResult {
    ShareResult {
        pointer: "cloak1x".into(),
        blob_len: 5_000_000,
        expires: Some(0),
        server: "files.example".to_owned(),
        builtin: false,
        manageable: true,
        counted: false,
        gone: false,
        by_server_clock: false,
        other_time: false,
        aside: None,
    }
}

fn info() -> PointerInfo {
    PointerInfo {
        name: Some("a.pdf".to_owned()),
        holds: PointerHolds::File,
        len: 7,
        server: "files.example".to_owned(),
        expires: None,
        asks_receipt: false,
        offer: None,
        lacks_relays: false,
        note: None,
    }
}

/// A server whose key follows from its name.
fn server(host: &str) -> ServerEntry {
    let mut seed = [0; 32];
    seed[..host.len()].copy_from_slice(host.as_bytes());
    let key = Identity::from_seed(seed).public().to_hex();
    let address = format!("http://{host}#p={key}");
    ServerEntry::new("", address.parse().expect("an address"))
}

/// Adds the server as a person does.
fn add(model: &mut Model, server: &ServerEntry) -> Vec<Effect> {
    let typed = format!(" {} ", server.address);
    model.update(ServerAction::AddressEdited(typed));
    model.update(ServerAction::Add)
}

/// A model whose only transfer has been shared.
fn with_one_shared() -> (Model, TransferId) {
    let (mut model, effects) = with_files(&["a"]);
    let run = shares(&effects)[0].0;
    model.update(Event::Shared(run, ended(Ok(shared()))));
    let id = model.transfers[0].id;
    (model, id)
}

/// A model with a pointer in the field.
fn with_pointer(info: PointerInfo) -> Model {
    let mut model = model();
    model.update(Arrival::Pasted("cloak1x".into()));
    model.update(Event::Described(Ok(info.into())));
    model
}

/// A pointer to a file on this server, which can be found in a text.
pub(super) fn pointer_to(server: &ServerAddress) -> PointerText {
    use crate::protocol::address::FileId;
    use crate::protocol::digest::Digest;
    use crate::protocol::pointer::{Pointer, PointerKey};
    use crate::protocol::seal::{ContentKind, FileKey};
    let pointer = Pointer {
        server: server.clone(),
        id: FileId::parse("5").unwrap(),
        key: PointerKey::Whole(FileKey::from_bytes([0; 32])),
        digest: Digest::of(b""),
        content_len: 0,
        name: None,
        kind: ContentKind::File,
        expires: None,
        receipts: None,
        relay_list: None,
    };
    PointerText::new(pointer.to_text().as_str().to_owned())
}

/// What those who hear the window hear of what happened last.
fn aloud(model: &Model) -> String {
    text::announcement(&model.announcement).unwrap_or_default()
}

/// Names of the rows, as they are shown.
pub(super) fn names(model: &Model) -> Vec<&str> {
    let rows = model.transfers.iter();
    rows.map(|row| text::shown_name(&row.name)).collect()
}

/// Ended by this error, after nothing was shown to anybody.
pub(super) fn failed<T>(error: AppError) -> Ended<T> {
    Ended {
        result: Err(error.into()),
        shown: WhoSawWhat::default(),
    }
}

/// A model that shares directly to `files.example`, with one file on its way there.
pub(super) fn sharing_to_a_server() -> (Model, RunId) {
    let direct = ServerEntry {
        direct: true,
        ..server("files.example")
    };
    let mut model = model_with(Settings {
        chosen: ServerChoice::Server(direct.address.clone()),
        servers: vec![direct],
        ..settings()
    });
    let effects = model.update(Event::Looked(LookPurpose::Share, vec![file("a")]));
    let run = shares(&effects)[0].0;
    (model, run)
}
