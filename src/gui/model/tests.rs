//! Each rule of the model, one test.

use zeroize::Zeroizing;

use super::*;
use crate::app::error::{AppError, ServerRefusal};
use crate::app::received::save::SaveError;
use crate::app::relays::RelaySource;
use crate::app::settings::{Change, Contrast, ServerEntry, Theme};
use crate::app::transfer::stage::{FirstStop, Stage};
use crate::app::words::who_saw_what::{Asked, RequestShown};
use crate::gui::platform::uri_list::UriList;
use crate::gui::text;
use crate::protocol::disclosure::{AttemptShown, End, ShownOutcome as TryOutcome};
use crate::protocol::keys::Identity;

pub(super) fn settings() -> Settings {
    Settings {
        welcomed: true,
        ..Settings::default()
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
        kind: FoundKind::Folder,
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

fn with_files(names: &[&str]) -> (Model, Vec<Effect>) {
    let mut model = model();
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
        Effect::Work(Work::Request(RequestWork::Share(run, path, ..))) => Some((*run, name(path))),
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

/// When it does not matter.
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
    let shown = vec![RequestShown {
        asked: Asked::Upload,
        attempts: vec![attempt],
    }];
    Ended { result, shown }
}

#[test]
fn a_row_keeps_what_failed_and_cancelled_attempts_showed() {
    let (mut model, effects) = with_files(&["a"]);
    let first = shares(&effects)[0].0;
    let tries = |model: &Model| model.transfers[0].tries();
    model.update(Event::Shared(first, ended(Err(trouble()))));
    assert_eq!(tries(&model), 1, "it failed");
    let id = model.transfers[0].id;
    let effects = model.update(Action::Row(id, RowAction::Retry));
    let second = shares(&effects)[0].0;
    model.update(Action::Row(id, RowAction::Cancel));
    let third = shares(&model.update(Action::Row(id, RowAction::Retry)))[0].0;
    model.update(Event::Shared(second, ended(Err(trouble()))));
    assert_eq!(tries(&model), 2, "what was stopped tells it later");
    assert!(model.transfers[0].is_unfinished(), "the newest runs on");
    model.update(Event::Shared(third, ended(Ok(shared()))));
    assert_eq!(tries(&model), 3);
    model.update(Action::Row(id, RowAction::Manage(ManageAction::Delete)));
    model.update(Event::Managed(id, ended(Err(trouble()))));
    assert_eq!(tries(&model), 4, "asking the server shows something too");
}

#[test]
fn what_a_test_showed_is_kept_with_its_server() {
    let mut model = model();
    model.update(ServerAction::Test(ServerChoice::BuiltIn));
    model.update(Event::Tested(ServerChoice::BuiltIn, ended(Err(trouble()))));
    let shown = &model.settings_screen.tests_shown[&ServerChoice::BuiltIn];
    assert_eq!(shown.len(), 1);
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
    }
}

fn info() -> PointerInfo {
    PointerInfo {
        name: Some("a.pdf".to_owned()),
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
    model.update(Event::Described(Ok(info)));
    model
}

#[test]
fn two_files_run_and_the_others_wait_in_the_order_they_came() {
    let (mut model, effects) = with_files(&["a", "b", "c", "d"]);
    let first = shares(&effects);
    assert_eq!(
        first
            .iter()
            .map(|(_, name)| name.as_str())
            .collect::<Vec<_>>(),
        ["a", "b"]
    );
    let next = shares(&model.update(Event::Shared(first[1].0, ended(Ok(shared())))));
    assert_eq!(
        next.iter()
            .map(|(_, name)| name.as_str())
            .collect::<Vec<_>>(),
        ["c"]
    );
    let next = shares(&model.update(Event::Shared(first[0].0, ended(Err(trouble())))));
    assert_eq!(
        next.iter()
            .map(|(_, name)| name.as_str())
            .collect::<Vec<_>>(),
        ["d"]
    );
}

#[test]
fn newer_files_stand_above_and_start_after_older_ones() {
    let (mut model, effects) = with_files(&["a", "b", "c"]);
    model.update(Event::Looked(LookPurpose::Share, vec![file("new")]));
    assert_eq!(names(&model)[0], "new");
    let next = shares(&model.update(Event::Shared(shares(&effects)[0].0, ended(Ok(shared())))));
    assert_eq!(next[0].1, "c");
}

#[test]
fn the_bar_never_moves_back_and_is_full_only_on_confirmation() {
    let (mut model, effects) = with_files(&["a"]);
    let run = shares(&effects)[0].0;
    let mut last = 0.0;
    for stage in [
        Stage::Pad,
        Stage::Seal,
        Stage::FindPath,
        uploaded(90),
        Stage::FindPath, // a second path after the first broke
        uploaded(10),
        Stage::Upload { sent: 0, total: 0 },
        uploaded(100),
        Stage::Crossing,
    ] {
        model.update(Event::Progress(run, stage, NEVER));
        let bar = model.transfers[0].bar;
        assert!(bar >= last && bar < 1.0, "{stage:?}: {bar} after {last}");
        last = bar;
    }
    model.update(Event::Shared(run, ended(Ok(shared()))));
    assert!((model.transfers[0].bar - 1.0).abs() < f32::EPSILON);
}

#[test]
fn a_folder_is_refused_in_words_and_the_files_beside_it_are_shared() {
    let mut model = model();
    let effects = model.update(Event::Looked(
        LookPurpose::Share,
        vec![folder("photos"), file("a")],
    ));
    assert_eq!(shares(&effects).len(), 1);
    let notice = model.notice.expect("a notice");
    assert!(
        text::window_message(&notice.message)
            .what
            .contains("photos")
    );
}

#[test]
fn cancelling_is_at_once_and_what_the_run_still_says_is_not_heard() {
    let (mut model, effects) = with_files(&["a", "b", "c"]);
    let run = shares(&effects)[0].0;
    let id = model.transfers[0].id;
    let effects = model.update(Action::Row(id, RowAction::Cancel));
    assert!(effects.iter().any(|effect| matches!(
        effect,
        Effect::Work(Work::Request(RequestWork::Cancel(cancelled)))
            if *cancelled == run
    )));
    assert_eq!(
        shares(&effects)[0].1,
        "c",
        "the next in the queue takes its place"
    );
    model.update(Event::Progress(run, Stage::Crossing, NEVER));
    model.update(Event::Shared(run, ended(Ok(shared()))));
    assert!(matches!(model.transfers[0].state, TransferState::Cancelled));
}

#[test]
fn retrying_begins_a_new_run_that_the_old_one_cannot_disturb() {
    let (mut model, effects) = with_files(&["a"]);
    let old = shares(&effects)[0].0;
    model.update(Event::Shared(old, ended(Err(trouble()))));
    let id = model.transfers[0].id;
    let new = shares(&model.update(Action::Row(id, RowAction::Retry)))[0].0;
    assert_ne!(old, new);
    model.update(Event::Shared(old, ended(Ok(shared()))));
    assert!(matches!(
        model.transfers[0].state,
        TransferState::Running(_)
    ));
}

#[test]
fn a_finished_transfer_is_not_started_again_by_retry() {
    let (mut model, id) = with_one_shared();
    assert!(shares(&model.update(Action::Row(id, RowAction::Retry))).is_empty());
}

#[test]
fn removing_a_running_transfer_stops_it() {
    let (mut model, _) = with_files(&["a"]);
    let id = model.transfers[0].id;
    let effects = model.update(Action::Row(id, RowAction::Remove));
    assert!(matches!(
        effects[..],
        [
            Effect::Work(Work::Request(RequestWork::Cancel(_))),
            Effect::Work(Work::Later(_))
        ]
    ));
    assert!(model.transfers.is_empty());
}

#[test]
fn copied_is_shown_until_the_time_of_the_last_copy_has_passed() {
    let (mut model, id) = with_one_shared();
    assert!(matches!(
        model.update(Action::Row(id, RowAction::CopyPointer))[..],
        [Effect::Work(Work::Clipboard(ClipboardWork::Copy(..)))]
    ));
    let first = model.update(Event::Copied(id, Ok(())));
    let second = model.update(Event::Copied(id, Ok(())));
    let timer = |effects: &[Effect]| match effects {
        [Effect::Work(Work::Later(timer))] => *timer,
        _ => panic!("a timer"),
    };
    model.update(Event::Elapsed(timer(&first)));
    assert_eq!(model.copied, Some(id));
    model.update(Event::Elapsed(timer(&second)));
    assert_eq!(model.copied, None);
}

#[test]
fn nothing_is_copied_before_the_server_has_confirmed() {
    let (mut model, _) = with_files(&["a"]);
    let id = model.transfers[0].id;
    assert!(
        model
            .update(Action::Row(id, RowAction::CopyPointer))
            .is_empty()
    );
}

#[test]
fn pasted_text_lands_in_receive_and_starts_nothing() {
    let mut model = model();
    let effects = model.update(Arrival::Pasted("look: cloak1x".into()));
    assert_eq!(model.screen, Screen::Receive);
    assert!(matches!(
        effects[..],
        [Effect::Work(Work::Settings(SettingsWork::Describe(..)))]
    ));
    model.update(Event::Described(Ok(info())));
    assert!(model.transfers.is_empty());
    assert_eq!(model.focus, Some(Focus::Download));
}

#[test]
fn nothing_is_fetched_under_the_description_of_another_pointer() {
    let mut model = with_pointer(info());
    model.update(ReceiveAction::PointerEdited("cloak1y".into()));
    assert!(model.update(ReceiveAction::Download).is_empty());
    model.update(Event::Described(Ok(info())));
    assert!(matches!(
        model.update(ReceiveAction::Download)[..],
        [
            Effect::Work(Work::History(HistoryWork::Remember(..))),
            Effect::Work(Work::Request(RequestWork::Fetch { .. })),
            ..
        ]
    ));
    // What the emptied field was comes too late.
    model.update(Event::Described(Ok(info())));
    assert_eq!(model.receive.reading, Reading::Empty);
}

#[test]
fn a_pointer_argument_only_fills_receive() {
    let mut model = model();
    let effects = model.update(Arrival::Arguments {
        files: Vec::new(),
        pointer: Some("cloak1x".into()),
    });
    assert!(matches!(
        effects[..],
        [Effect::Work(Work::Settings(SettingsWork::Describe(..)))]
    ));
    assert_eq!(model.screen, Screen::Receive);
    assert_ne!(model.focus, Some(Focus::Download), "not one key away");
}

fn open_link(model: &mut Model, pointer: &str) -> Vec<Effect> {
    model.update(Arrival::Arguments {
        files: Vec::new(),
        pointer: Some(pointer.into()),
    })
}

#[test]
fn an_opened_pointer_takes_nobodys_place_until_the_person_says_so() {
    for takes in [true, false] {
        let mut model = model();
        model.update(Arrival::Pasted("cloak1mine".into()));
        model.update(Event::Described(Ok(info())));
        let (mine, focus) = (model.receive.reading.clone(), model.focus);
        model.screen = Screen::Share;
        // As often as a web page likes.
        for link in ["cloakroom:cloak1one", "cloakroom:cloak1other"] {
            assert!(open_link(&mut model, link).is_empty(), "nothing is read");
            assert_eq!(model.screen, Screen::Receive);
            assert_eq!(model.receive.text.as_str(), "cloak1mine");
            assert_eq!((&model.receive.reading, model.focus), (&mine, focus));
            assert!(model.announcement.what.is_some());
        }
        if takes {
            let effects = model.update(ReceiveAction::UseOpenedPointer);
            assert!(matches!(
                effects[..],
                [Effect::Work(Work::Settings(SettingsWork::Describe(..)))]
            ));
            assert_eq!(model.receive.text.as_str(), "cloakroom:cloak1other");
            assert_ne!(model.focus, Some(Focus::Download));
        } else {
            assert!(model.update(ReceiveAction::KeepPointer).is_empty());
            assert_eq!(model.receive.text.as_str(), "cloak1mine");
            assert_eq!(model.receive.reading, mine);
        }
        assert!(model.receive.opened.is_none());
    }
}

#[test]
fn a_link_to_the_pointer_that_stands_there_asks_nothing() {
    let mut model = model();
    model.update(Arrival::Pasted("cloak1mine".into()));
    assert!(open_link(&mut model, "cloak1mine").is_empty());
    assert!(model.receive.opened.is_none());
}

#[test]
fn a_pasted_list_of_files_is_shared() {
    let mut model = model();
    model.screen = Screen::Receive;
    let [one, other] =
        ["/tmp/a b.pdf", "/tmp/c.pdf"].map(|path| std::path::absolute(path).unwrap());
    let url = url::Url::from_file_path(&one).unwrap();
    let text = format!(
        "x-special/nautilus-clipboard\ncopy\n{url}\r\n{}\n",
        other.display()
    );
    let effects = model.update(Arrival::Pasted(text.as_str().into()));
    let [Effect::Work(Work::File(FileWork::Look(LookPurpose::Share, paths)))] = &effects[..] else {
        panic!("files")
    };
    assert_eq!(paths, &[one, other]);
    assert_eq!(model.screen, Screen::Share);
}

#[test]
fn download_moves_the_pointer_from_the_field_to_the_list() {
    let mut model = with_pointer(info());
    let effects = model.update(ReceiveAction::Download);
    assert!(effects.iter().any(|effect| matches!(
        effect,
        Effect::Work(Work::Request(RequestWork::Fetch { .. }))
    )));
    assert!(model.receive.text.as_str().is_empty());
    assert_eq!(names(&model)[0], "a.pdf");
}

#[test]
fn a_fetch_does_not_wait_behind_shares() {
    let (mut model, _) = with_files(&["a", "b", "c"]);
    model.update(Arrival::Pasted("cloak1x".into()));
    model.update(Event::Described(Ok(info())));
    assert!(
        model
            .update(ReceiveAction::Download)
            .iter()
            .any(|effect| matches!(
                effect,
                Effect::Work(Work::Request(RequestWork::Fetch { .. }))
            ))
    );
}

#[test]
fn a_pointer_that_cannot_work_from_here_is_not_downloaded() {
    let note = PointerNote {
        message: trouble(),
        blocks: true,
    };
    let mut model = with_pointer(PointerInfo {
        note: Some(note),
        ..info()
    });
    assert!(model.update(ReceiveAction::Download).is_empty());
    assert!(model.transfers.is_empty());
}

#[test]
fn a_bad_pointer_stays_in_the_field() {
    let mut model = model();
    model.update(Arrival::Pasted("cloak1bad".into()));
    model.update(Event::Described(Err(trouble())));
    assert!(model.update(ReceiveAction::Download).is_empty());
    assert_eq!(model.receive.text.as_str(), "cloak1bad");
    assert_eq!(model.focus, Some(Focus::Pointer));
}

#[test]
fn an_emptied_field_says_nothing() {
    let mut model = with_pointer(info());
    assert!(
        model
            .update(ReceiveAction::PointerEdited("  ".into()))
            .is_empty()
    );
    assert_eq!(model.receive.reading, Reading::Empty);
}

#[test]
fn a_received_file_is_opened_and_shown_from_where_it_was_saved() {
    let mut model = with_pointer(info());
    model.update(ReceiveAction::Download);
    let (id, run) = (model.transfers[0].id, model.transfers[0].run);
    let saved = Saved {
        path: PathBuf::from("/home/ada/a (1).pdf"),
        name: "a (1).pdf".to_owned(),
        len: 7,
    };
    model.update(Event::Fetched(run, ended(Ok(saved.clone()))));
    assert_eq!(names(&model)[0], "a (1).pdf");
    assert!(matches!(
        &model.update(Action::Row(id, RowAction::OpenSaved))[..],
        [Effect::Work(Work::File(FileWork::Examine(_, path, Examine::Open)))]
            if *path == saved.path
    ));
    assert!(matches!(
        &model.update(Action::Row(id, RowAction::RevealSaved))[..],
        [Effect::Work(Work::File(FileWork::Reveal(path)))]
            if *path == saved.path
    ));
}

#[test]
fn closing_asks_while_transfers_run_and_not_otherwise() {
    let mut idle = model();
    assert!(idle.update(WindowAction::CloseRequested).is_empty());
    assert_eq!(idle.modal, None);

    let (mut busy, _) = with_files(&["a", "b", "c"]);
    assert!(matches!(
        busy.update(WindowAction::CloseRequested)[..],
        [Effect::Window(WindowEffect::StayOpen)]
    ));
    assert_eq!(busy.modal, Some(Modal::Closing { running: 3 }));
    busy.update(ModalAction::Back);
    assert_eq!((busy.modal, busy.unfinished()), (None, 3));

    busy.update(WindowAction::CloseRequested);
    let effects = busy.update(ModalAction::StopAndQuit);
    assert!(matches!(
        effects.last(),
        Some(Effect::Window(WindowEffect::Quit))
    ));
    assert!(
        shares(&effects).is_empty(),
        "nothing new starts while quitting"
    );
    assert_eq!(busy.unfinished(), 0);
}

#[test]
fn a_drop_while_a_question_is_open_is_answered_in_words() {
    let (mut model, _) = with_files(&["a"]);
    model.update(WindowAction::CloseRequested);
    assert!(
        model
            .update(Arrival::Dropped(vec![PathBuf::from("/tmp/b")].into()))
            .is_empty()
    );
    assert!(model.notice.is_some());
}

#[test]
fn what_hangs_over_the_window_is_named_until_it_leaves() {
    let mut model = model();
    let path = file("a").path;
    assert!(matches!(
        model.update(Arrival::Hovering(vec![path]))[..],
        [Effect::Work(Work::File(FileWork::Look(
            LookPurpose::Hover,
            _
        )))]
    ));
    model.update(Event::Looked(LookPurpose::Hover, vec![file("a")]));
    assert_eq!(model.hover.as_ref().map(|hover| hover.found.len()), Some(1));
    model.update(Arrival::Hovering(Vec::new()));
    model.update(Event::Looked(LookPurpose::Hover, vec![file("a")]));
    assert_eq!(model.hover, None);
}

#[test]
fn there_is_never_a_second_dialog() {
    let mut model = model();
    assert!(matches!(
        model.update(ShareAction::ChooseFiles)[..],
        [Effect::Work(Work::Dialog(DialogWork::PickFiles))]
    ));
    assert!(model.update(ShareAction::ChooseFiles).is_empty());
    model.update(Event::FilesChosen(Vec::new()));
    assert!(matches!(
        model.update(SettingsAction::ChooseDownloads)[..],
        [Effect::Work(Work::Dialog(DialogWork::PickFolder(_)))]
    ));
}

#[test]
fn an_added_server_is_used_and_kept() {
    let mut model = model();
    let effects = add(&mut model, &server("files.example"));
    assert!(matches!(
        &effects[..],
        [
            Effect::Work(Work::Settings(SettingsWork::Save(_, kept))),
            Effect::Work(Work::Settings(SettingsWork::Terms(_))),
        ]
            if kept.servers.len() == 1
    ));
    assert_eq!(
        model.settings.chosen_entry().map(ServerEntry::shown_name),
        Some("files.example")
    );
    assert!(model.lacks_relays());
    add(&mut model, &server("files.example"));
    assert_eq!(
        model.settings.servers.len(),
        1,
        "the same address is one server"
    );
}

/// Whoever knows a server's key, which stands in every pointer, must not move it to another host.
#[test]
fn another_address_of_a_known_server_is_refused_in_words() {
    let mut model = model();
    let known = server("files.example");
    add(&mut model, &known);
    model.update(ServerAction::Use(ServerChoice::BuiltIn));
    let elsewhere = known.address.to_string().replace("files", "evil");
    model.update(ServerAction::AddressEdited(elsewhere.clone()));
    assert!(model.update(ServerAction::Add).is_empty());
    let trouble = model.settings_screen.address_trouble.as_ref();
    assert!(trouble.is_some_and(|trouble| trouble.why.contains("files.example")));
    assert_eq!(model.settings_screen.address, elsewhere);
    assert_eq!(model.settings.servers, [known]);
    assert_eq!(model.settings.chosen, ServerChoice::BuiltIn);
}

#[test]
fn a_bad_address_is_never_kept_and_stays_in_the_field() {
    let mut model = model();
    model.update(ServerAction::AddressEdited("nonsense".to_owned()));
    assert!(model.update(ServerAction::Add).is_empty());
    assert!(model.settings_screen.address_trouble.is_some());
    assert_eq!(model.settings_screen.address, "nonsense");
    assert!(model.settings.servers.is_empty());
}

#[test]
fn a_proxy_is_used_once_it_is_one_and_forgotten_on_request() {
    let mut model = model();
    model.update(RelayAction::ProxyEdited("http://127.0.0.1:8080".to_owned()));
    assert!(model.update(RelayAction::UseProxy).is_empty());
    assert!(model.settings_screen.proxy_trouble.is_some());
    assert_eq!(model.settings_screen.proxy, "http://127.0.0.1:8080");
    model.update(RelayAction::ProxyEdited(
        "socks5://127.0.0.1:9050".to_owned(),
    ));
    assert!(model.settings_screen.proxy_trouble.is_none());
    assert!(matches!(
        &model.update(RelayAction::UseProxy)[..],
        [Effect::Work(Work::Settings(SettingsWork::Save(..)))]
    ));
    assert!(model.settings.proxy.is_some() && model.settings_screen.proxy.is_empty());
    model.update(RelayAction::ForgetProxy);
    assert_eq!(model.settings.proxy, None);
}

#[test]
fn removing_the_server_in_use_falls_back_to_the_built_in_one() {
    let mut model = model();
    add(&mut model, &server("files.example"));
    model.update(ServerAction::Remove(server("files.example").address.key));
    assert_eq!(model.settings.chosen, ServerChoice::BuiltIn);
}

#[test]
fn a_server_is_tested_once_at_a_time() {
    let mut model = model();
    assert!(matches!(
        model.update(ServerAction::Test(ServerChoice::BuiltIn))[..],
        [Effect::Work(Work::Request(RequestWork::Test(..)))]
    ));
    assert!(
        model
            .update(ServerAction::Test(ServerChoice::BuiltIn))
            .is_empty()
    );
    let report = TestReport {
        upload_millis: 50,
        download_millis: 30,
        delete_millis: None,
    };
    model.update(Event::Tested(ServerChoice::BuiltIn, ended(Ok(report))));
    assert!(matches!(
        model.settings_screen.tests.get(&ServerChoice::BuiltIn),
        Some(Test::Passed(passed)) if *passed == report
    ));
}

#[test]
fn every_setting_is_kept_at_once() {
    let mut model = model();
    for action in [
        Action::from(Change::Theme(Theme::Dark)),
        Action::from(Change::Contrast(Contrast::High)),
        Action::from(Change::ReducedMotion(true)),
        Action::from(SettingsAction::Zoom(1)),
        Action::from(Change::MaskPointers(true)),
        Action::from(Change::ClearClipboard(true)),
        Action::from(Change::CopyWhenDone(true)),
        Action::from(Change::NameInPointer(false)),
        Action::from(ServerAction::Use(ServerChoice::BuiltIn)),
        Action::from(RelayAction::ForgetList),
        Action::from(WindowAction::Start),
    ] {
        assert!(matches!(
            model.update(action)[..],
            [Effect::Work(Work::Settings(SettingsWork::Save(..))), ..]
        ));
    }
}

#[test]
fn changed_relays_are_held_against_the_pointer_in_the_field_again() {
    let mut model = with_pointer(info());
    let list = ShownRelayList {
        source: RelaySource::File(PathBuf::from("/tmp/relays.json")),
        name: "friends".to_owned(),
        relays: 5,
    };
    let effects = model.update(Event::RelayListRead(Ok(list)));
    assert!(matches!(
        effects[..],
        [
            Effect::Work(Work::Settings(SettingsWork::Save(..))),
            Effect::Work(Work::Settings(SettingsWork::Describe(..))),
            Effect::Work(Work::Request(RequestWork::Relays(RelayWish::Look, _)))
        ]
    ));
}

#[test]
fn the_first_start_card_shows_once() {
    let mut model = model_with(Settings::default());
    assert!(model.first_start);
    assert!(matches!(
        &model.update(WindowAction::Start)[..],
        [Effect::Work(Work::Settings(SettingsWork::Save(_, kept)))]
            if kept.welcomed
    ));
    assert!(!model.first_start);
}

#[test]
fn settings_that_could_not_be_read_are_said() {
    let model = Model::new(LoadedSettings {
        settings: settings(),
        usual_downloads: PathBuf::new(),
        trouble: Some(trouble()),
    });
    assert_eq!(model.notice.map(|notice| notice.tone), Some(Tone::Warning));
}

#[test]
fn a_shared_file_is_deleted_only_after_the_question_and_once() {
    let (mut model, id) = with_one_shared();
    model.update(ModalAction::Open(Modal::Delete(id)));
    assert!(model.modal.is_some_and(Modal::asks));
    let effects = model.update(Action::Row(id, RowAction::Manage(ManageAction::Delete)));
    assert!(matches!(
        effects[..],
        [Effect::Work(Work::Request(RequestWork::Manage(
            _,
            ManageAction::Delete,
            ..
        )))]
    ));
    assert!(
        model
            .update(Action::Row(id, RowAction::Manage(ManageAction::Delete)))
            .is_empty()
    );
    model.update(Event::Managed(id, ended(Ok(Managed::Deleted))));
    let TransferState::Shared(shared) = &model.transfers[0].state else {
        panic!("shared")
    };
    assert!(shared.gone);
    assert!(
        model
            .update(Action::Row(id, RowAction::CopyPointer))
            .is_empty()
    );
    assert!(
        model
            .update(Action::Row(id, RowAction::Manage(ManageAction::Extend)))
            .is_empty()
    );
}

#[test]
fn a_file_that_is_kept_longer_shows_until_when_and_a_refusal_changes_nothing() {
    let (mut model, id) = with_one_shared();
    model.update(Action::Row(id, RowAction::Manage(ManageAction::Extend)));
    model.update(Event::Managed(id, ended(Err(trouble()))));
    assert!(matches!(
        &model.transfers[0].told,
        Some(Told::Failed(Trouble::Said(said))) if **said == trouble()
    ));
    model.update(Action::Row(id, RowAction::Manage(ManageAction::Extend)));
    let later = Managed::Extended {
        expires: 99,
        later: true,
        by_server_clock: false,
    };
    model.update(Event::Managed(id, ended(Ok(later))));
    let TransferState::Shared(shared) = &model.transfers[0].state else {
        panic!("shared")
    };
    assert_eq!(shared.expires, Some(99));
}

#[test]
fn a_copied_pointer_is_cleared_after_its_minute_unless_another_came() {
    let (mut model, id) = with_one_shared();
    model.update(Change::ClearClipboard(true));
    model.update(Action::Row(id, RowAction::CopyPointer));
    let first = model.update(Event::Copied(id, Ok(())));
    model.update(Action::Row(id, RowAction::CopyPointer));
    let second = model.update(Event::Copied(id, Ok(())));
    let minute = |effects: &[Effect]| match effects {
        [_, Effect::Work(Work::Later(timer @ Timer::Clipboard(_)))] => *timer,
        _ => panic!("a timer"),
    };
    assert!(model.update(Event::Elapsed(minute(&first))).is_empty());
    let cleared = model.update(Event::Elapsed(minute(&second)));
    assert!(matches!(
        cleared[..],
        [Effect::Work(Work::Clipboard(ClipboardWork::Clear(_)))]
    ));
    model.update(Action::Row(id, RowAction::CopyPointer));
    let closing = model.update(WindowAction::CloseRequested);
    assert!(matches!(
        closing[..],
        [Effect::Work(Work::Clipboard(ClipboardWork::Clear(_)))]
    ));
}

#[test]
fn the_sender_is_told_unless_the_recipient_declines() {
    for told in [true, false] {
        let mut model = with_pointer(PointerInfo {
            asks_receipt: true,
            ..info()
        });
        model.update(ReceiveAction::SetTellSender(told));
        let effects = model.update(ReceiveAction::Download);
        assert!(effects.iter().any(|effect| matches!(
            effect,
            Effect::Work(Work::Request(RequestWork::Fetch { tell_sender, .. }))
                if *tell_sender == told
        )));
    }
}

#[test]
fn a_list_that_a_pointer_names_is_asked_for_only_when_told_to() {
    let mut model = with_pointer(PointerInfo {
        offer: Some("lists.example".to_owned()),
        lacks_relays: true,
        ..info()
    });
    let effects = model.update(ReceiveAction::UseSendersList);
    assert!(matches!(
        effects[..],
        [Effect::Work(Work::Request(RequestWork::Relays(
            RelayWish::Accept(_),
            _
        )))]
    ));
    assert!(
        model.update(ReceiveAction::UseSendersList).is_empty(),
        "one at a time"
    );
    let known = RelaysKnown {
        list: None,
        seen: None,
        others: Vec::new(),
    };
    let effects = model.update(Event::Relays(Ok(known)));
    assert!(matches!(
        effects[..],
        [Effect::Work(Work::Settings(SettingsWork::Describe(..)))]
    ));
}

#[test]
fn a_direct_server_needs_no_relays() {
    let mut model = model();
    add(&mut model, &server("files.example"));
    assert!(model.lacks_relays());
    let effects = model.update(Change::Direct(server("files.example").address.key, true));
    assert!(matches!(
        &effects[..],
        [Effect::Work(Work::Settings(SettingsWork::Save(_, kept)))]
            if kept.servers[0].direct
    ));
    assert!(!model.lacks_relays());
}

#[test]
fn work_for_the_server_has_its_share_of_the_bar_and_a_step_of_its_own() {
    let (mut model, effects) = with_files(&["a"]);
    let run = shares(&effects)[0].0;
    assert!(!model.transfers[0].milestones().contains(&Milestone::Work));
    let mut last = (0.0, 0);
    for stage in [
        Stage::Pad,
        Stage::Seal,
        Stage::Work { permille: 0 },
        Stage::Work { permille: 500 },
        Stage::Work { permille: 999 },
        Stage::FindPath,
        uploaded(10),
        uploaded(50),
        Stage::Crossing,
    ] {
        model.update(Event::Progress(run, stage, NEVER));
        let row = &model.transfers[0];
        let at = row
            .milestones()
            .iter()
            .position(|step| *step == Milestone::of(stage, &row.job))
            .expect("a step of this transfer");
        assert!(row.bar >= last.0 && row.bar < 1.0, "{stage:?}: {}", row.bar);
        if stage.fraction().is_some_and(|fraction| fraction > 0.0) {
            assert!(row.bar > last.0, "{stage:?} moves the bar");
        }
        assert!(at >= last.1, "{stage:?}: no step comes twice");
        last = (row.bar, at);
    }
}

fn typed(text: &str) -> ServerAction {
    ServerAction::WordEdited(Zeroizing::new(text.to_owned()))
}

#[test]
fn an_access_word_is_kept_with_its_server_and_a_bad_one_is_not() {
    let known = server("files.example");
    let key = known.address.key;
    let mut model = model_with(Settings {
        servers: vec![server("other.example"), known],
        ..settings()
    });
    let words = |model: &Model| -> Vec<Option<String>> {
        let servers = model.settings.servers.iter();
        let word = |server: &ServerEntry| Some(server.access_word.as_ref()?.as_str().to_owned());
        servers.map(word).collect()
    };
    model.update(ServerAction::OpenWord(key));
    assert_eq!(model.focus, Some(Focus::AccessWord(1)));
    model.update(typed("gr\u{fc}n"));
    assert!(model.update(ServerAction::KeepWord).is_empty());
    let field = model.settings_screen.word.as_ref().expect("still open");
    assert!(field.refused);
    model.update(typed("sesame\n"));
    let effects = model.update(ServerAction::KeepWord);
    assert!(matches!(
        &effects[..],
        [Effect::Work(Work::Settings(SettingsWork::Save(..)))]
    ));
    assert!(model.settings_screen.word.is_none());
    assert_eq!(words(&model), [None, Some("sesame".to_owned())]);
    assert!(
        !format!("{:?}", model.settings).contains("sesame"),
        "it is not printed"
    );
    let effects = model.update(ServerAction::ForgetWord(key));
    assert!(matches!(
        &effects[..],
        [Effect::Work(Work::Settings(SettingsWork::Save(..)))]
    ));
    assert_eq!(words(&model), [None, None]);
}

/// What those who hear the window hear of what happened last.
fn aloud(model: &Model) -> String {
    text::announcement(&model.announcement).unwrap_or_default()
}

fn names(model: &Model) -> Vec<&str> {
    let rows = model.transfers.iter();
    rows.map(|row| text::shown_name(&row.name)).collect()
}

#[test]
fn rows_that_were_removed_one_after_the_other_come_back_together_where_they_were() {
    let (mut model, _) = with_files(&["a", "b", "c", "d"]);
    let ids: Vec<TransferId> = model.transfers.iter().map(|row| row.id).collect();
    let before: Vec<String> = names(&model).into_iter().map(str::to_owned).collect();
    model.update(Action::Row(ids[1], RowAction::Remove));
    model.update(Action::Row(ids[2], RowAction::Remove));
    model.update(Action::Row(ids[0], RowAction::Remove));
    assert_eq!(model.transfers.len(), 1);
    model.update(WindowAction::Undo);
    assert_eq!(names(&model), before);
    assert!(model.undo.is_none() && model.update(WindowAction::Undo).is_empty());
}

#[test]
fn a_server_a_relay_list_and_a_proxy_come_back_as_they_were() {
    let word = crate::protocol::capability::AccessWord::parse("sesame").ok();
    let known = ServerEntry {
        access_word: word,
        ..server("files.example")
    };
    let key = known.address.key;
    let kept = Settings {
        chosen: ServerChoice::Server(key),
        servers: vec![server("a.example"), known, server("b.example")],
        relays: RelaySource::Session,
        proxy: "socks5://127.0.0.1:9050".parse().ok(),
        ..settings()
    };
    let mut model = model_with(kept.clone());
    for action in [
        Action::from(ServerAction::Remove(key)),
        Action::from(RelayAction::ForgetList),
        Action::from(RelayAction::ForgetProxy),
    ] {
        let effects = model.update(action);
        assert!(matches!(
            &effects[..],
            [
                Effect::Work(Work::Settings(SettingsWork::Save(_, less))),
                Effect::Work(Work::Later(_)),
            ]
                if **less != kept
        ));
        let effects = model.update(WindowAction::Undo);
        assert!(matches!(
            &effects[..],
            [Effect::Work(Work::Settings(SettingsWork::Save(_, again)))]
                if **again == kept
        ));
    }
}

#[test]
fn what_went_stays_away_when_the_window_closes_and_when_something_else_goes() {
    for close in [true, false] {
        let (mut model, id) = with_one_shared();
        model.settings.proxy = "socks5://127.0.0.1:9050".parse().ok();
        model.update(Event::Remembered(id, EntryId(3)));
        model.update(Action::Row(id, RowAction::Remove));
        let effects = model.update(if close {
            Action::from(WindowAction::CloseRequested)
        } else {
            Action::from(RelayAction::ForgetProxy)
        });
        let forgets = |effect: &Effect| {
            matches!(
                effect,
                Effect::Work(Work::History(HistoryWork::Forget(EntryId(3))))
            )
        };
        assert!(effects.iter().any(forgets), "closed: {close}");
    }
}

#[test]
fn what_the_server_did_is_kept_with_the_entry_also_of_a_removed_row() {
    let (mut model, id) = with_one_shared();
    model.update(Event::Remembered(id, EntryId(3)));
    model.update(Action::Row(id, RowAction::Manage(ManageAction::Extend)));
    let later = Managed::Extended {
        expires: 99,
        later: true,
        by_server_clock: false,
    };
    let effects = model.update(Event::Managed(id, ended(Ok(later))));
    assert!(matches!(
        effects[..],
        [Effect::Work(Work::History(HistoryWork::Expires(
            EntryId(3),
            99
        )))]
    ));
    model.update(Action::Row(id, RowAction::Manage(ManageAction::Delete)));
    model.update(Action::Row(id, RowAction::Remove));
    let effects = model.update(Event::Managed(id, ended(Ok(Managed::Deleted))));
    assert!(matches!(
        effects[..],
        [Effect::Work(Work::History(HistoryWork::Forget(EntryId(3))))]
    ));
    model.update(WindowAction::Undo);
    assert!(model.transfers[0].managing.is_none() && model.transfers[0].pointer().is_none());
}

#[test]
fn a_long_list_is_shown_a_page_at_a_time_and_narrowed_down_by_kind() {
    let mut model = with_pointer(info());
    model.update(ReceiveAction::Download);
    let many: Vec<FoundPath> = (0..40).map(|at| file(&format!("{at}"))).collect();
    model.update(Event::Looked(LookPurpose::Share, many));
    assert_eq!(model.listed().count(), 41, "none of them has ended");
    model.update(ListAction::Filter(Filter::Received));
    assert_eq!((model.listed().count(), model.unlisted()), (1, 0));
    model.update(Event::Looked(LookPurpose::Share, vec![file("new")]));
    assert_eq!(model.filter, Filter::All, "a new row is seen");

    let ids: Vec<TransferId> = model.transfers.iter().map(|row| row.id).collect();
    for id in &ids {
        model.update(Action::Row(*id, RowAction::Cancel));
    }
    assert_eq!(
        (model.listed().count(), model.unlisted()),
        (31, 11),
        "a page of each kind"
    );
    model.update(WindowAction::Go(Screen::Receive));
    model.update(FocusAction::Beside(ids[29], Beside::Below));
    assert_eq!(model.focus, Some(Focus::Row(ids[29])), "the last one shown");
    model.update(ListAction::ShowEarlier);
    assert_eq!(model.unlisted(), 0);
    assert_eq!(model.focus, Some(Focus::Row(ids[30])));
}

#[test]
fn a_screen_lists_first_what_it_is_for() {
    let mut model = with_pointer(info());
    model.update(ReceiveAction::Download);
    model.update(Event::Looked(
        LookPurpose::Share,
        vec![file("a"), file("b")],
    ));
    let kinds = |model: &Model| model.listed().map(Filter::of).collect::<Vec<_>>();
    let (received, shared) = (Filter::Received, Filter::Shared);
    assert_eq!(model.screen, Screen::Share);
    assert_eq!(kinds(&model), [shared, shared, received]);
    model.update(WindowAction::Go(Screen::Receive));
    assert_eq!(kinds(&model), [received, shared, shared]);
}

#[test]
fn what_begins_and_what_is_stopped_is_said_aloud() {
    let (mut model, _) = with_files(&["a.txt", "b.txt"]);
    assert_eq!(aloud(&model), "Sharing 2 files");
    let ids: Vec<TransferId> = model.transfers.iter().map(|row| row.id).collect();
    model.update(Action::Row(ids[0], RowAction::Cancel));
    assert_eq!(aloud(&model), "a.txt was cancelled");
    model.update(Action::Row(ids[0], RowAction::Retry));
    assert_eq!(aloud(&model), "Sharing a.txt");
    model.update(Action::Row(ids[0], RowAction::Cancel));
    model.update(Action::Row(ids[1], RowAction::Cancel));
    model.update(Event::Looked(LookPurpose::Share, vec![folder("c")]));
    assert!(aloud(&model).contains("folder"), "refused, not begun");

    let mut model = with_pointer(info());
    model.update(ReceiveAction::Download);
    assert!(aloud(&model).starts_with("Downloading "));
}

#[test]
fn the_keyboard_goes_back_to_where_a_menu_was_opened() {
    let (mut model, id) = with_one_shared();
    for (open, back) in [
        (RowAction::OpenMenu, Focus::Menu(id)),
        (RowAction::OpenRowMenu, Focus::Row(id)),
    ] {
        for close in [
            Action::Modal(ModalAction::Back),
            Action::Row(id, RowAction::CopyPointer),
            Action::Row(id, RowAction::RevealSaved),
        ] {
            model.update(Action::Row(id, open));
            model.focus = None;
            model.update(close);
            assert_eq!((model.menu, model.focus), (None, Some(back)));
        }
        model.update(Action::Row(id, open));
        model.update(ModalAction::Open(Modal::Qr(id)));
        model.update(ModalAction::Back);
        assert_eq!(model.focus, Some(back));
    }
}

#[test]
fn a_running_transfer_says_its_speed_after_a_second() {
    let found = FoundPath {
        kind: FoundKind::File { len: 4_213_000 },
        ..file("large.zip")
    };
    let mut model = model();
    let effects = model.update(Event::Looked(LookPurpose::Share, vec![found]));
    let run = shares(&effects)[0].0;
    let mut step = |at: u64, percent| {
        let at = Duration::from_millis(at);
        model.update(Event::Progress(run, uploaded(percent), at));
        model.transfers[0].speed()
    };
    assert_eq!(step(500, 0), None);
    assert_eq!(step(1_000, 10), None);
    let speed = step(1_500, 20).expect("a second has passed");
    assert!((1_000_000..1_050_000).contains(&speed.bytes_per_sec));
    assert_eq!(speed.secs_left, 4);
    model.update(Event::Progress(run, Stage::Crossing, NEVER));
    assert_eq!(model.transfers[0].speed(), None, "its bytes move no more");
}

#[test]
fn how_the_chosen_server_stands_is_what_its_test_or_the_last_share_said() {
    let (mut model, effects) = with_files(&["a"]);
    let chosen = ServerChoice::BuiltIn;
    assert!(matches!(model.server_standing(), ServerStanding::Untried));
    model.update(ServerAction::Test(chosen));
    model.update(Event::Tested(chosen, ended(Err(trouble()))));
    assert!(matches!(
        model.server_standing(),
        ServerStanding::Failed(Trouble::Said(said)) if **said == trouble()
    ));
    model.update(Event::Shared(shares(&effects)[0].0, ended(Ok(shared()))));
    assert!(matches!(model.server_standing(), ServerStanding::Untried));
    add(&mut model, &server("files.example"));
    assert!(matches!(
        model.server_standing(),
        ServerStanding::LacksRelays
    ));
}

#[test]
fn a_drop_shares_its_files_and_names_what_is_none() {
    let mut model = model();
    let list = UriList {
        files: vec![file("a").path, file("gone").path],
        elsewhere: vec!["https://example.org/x".to_owned()],
    };
    let effects = model.update(Arrival::Dropped(list));
    assert!(matches!(
        &effects[..],
        [Effect::Work(Work::File(FileWork::Look(LookPurpose::Share, paths)))]
            if paths.len() == 2
    ));
    let gone = FoundPath {
        kind: FoundKind::Missing,
        ..file("gone")
    };
    let effects = model.update(Event::Looked(LookPurpose::Share, vec![file("a"), gone]));
    assert_eq!(shares(&effects).len(), 1);
    let notice = model.notice.as_ref().expect("the others are named");
    let (said, aloud) = (text::notice(notice), text::notice_aloud(notice));
    assert_eq!(said.len(), 2, "each has its own reason and its own advice");
    for (message, name) in said.iter().zip(["gone", "https://example.org/x"]) {
        assert!(message.what.contains(name), "{name}");
        assert!(aloud.contains(&message.aloud()), "{name}");
    }
    assert_ne!(said[0].next, said[1].next);
}

#[test]
fn a_drop_without_a_single_file_is_answered_at_once() {
    let mut model = model();
    let list = UriList {
        files: Vec::new(),
        elsewhere: vec!["smb://nas/y".to_owned()],
    };
    assert!(shares(&model.update(Arrival::Dropped(list))).is_empty());
    let notice = model.notice.as_ref().expect("it is named");
    assert!(
        text::window_message(&notice.message)
            .what
            .contains("smb://nas/y")
    );
}

#[test]
fn a_list_dropped_on_a_pointer_that_lacks_relays_is_used_and_not_shared() {
    let mut model = model();
    let list = || UriList::from(vec![PathBuf::from("/tmp/relays.json")]);
    model.update(WindowAction::Go(Screen::Receive));
    model.receive.reading = Reading::Known(PointerInfo {
        name: None,
        len: 1,
        server: "files.example".to_owned(),
        expires: None,
        asks_receipt: false,
        offer: None,
        lacks_relays: true,
        note: None,
    });
    assert!(matches!(
        model.update(Arrival::Dropped(list()))[..],
        [Effect::Work(Work::File(FileWork::ReadRelayList(_)))]
    ));
    model.update(Event::RelayListRead(Err(trouble())));
    assert_eq!(model.screen, Screen::Receive, "the card says it");
    model.receive.reading = Reading::Empty;
    assert!(matches!(
        model.update(Arrival::Dropped(list()))[..],
        [Effect::Work(Work::File(FileWork::Look(
            LookPurpose::Share,
            _
        )))]
    ));
}

/// A file that this program can use itself, as a look at it found it.
fn known(name: &str, kind: KnownFile) -> FoundPath {
    FoundPath {
        known: Some(kind),
        ..file(name)
    }
}

#[test]
fn a_relay_list_on_share_is_asked_about_and_never_shared_unasked() {
    let mut model = model();
    let list = || known("relays.json", KnownFile::RelayList);
    let effects = model.update(Event::Looked(LookPurpose::Share, vec![list(), file("a")]));
    assert_eq!(shares(&effects).len(), 1, "the file beside it goes");
    assert_eq!(model.focus, Some(Focus::KnownFile));
    assert!(matches!(
        model.update(ShareAction::UseKnownFile)[..],
        [Effect::Work(Work::File(FileWork::ReadRelayList(_)))]
    ));
    assert!(model.undecided.is_empty());
    model.update(Event::RelayListRead(Ok(ShownRelayList {
        source: RelaySource::Session,
        name: "friends".to_owned(),
        relays: 5,
    })));
    assert_eq!(model.screen, Screen::Share);
    assert!(model.notice.is_some(), "that it is used can be read");

    assert!(shares(&model.update(Event::Looked(LookPurpose::Share, vec![list()]))).is_empty());
    let effects = model.update(ShareAction::ShareKnownFile);
    assert_eq!(shares(&effects)[0].1, "relays.json");
    model.update(Event::Looked(LookPurpose::Share, vec![list()]));
    assert!(model.update(ShareAction::LeaveKnownFile).is_empty());
    assert!(model.undecided.is_empty());
}

#[test]
fn a_file_with_a_pointer_is_asked_about_on_share_and_used_on_receive() {
    let mut model = model();
    let found = || known("a.cloakroom", KnownFile::Pointer);
    let two = vec![found(), known("relays.json", KnownFile::RelayList)];
    assert!(shares(&model.update(Event::Looked(LookPurpose::Share, two))).is_empty());
    assert!(matches!(
        model.update(ShareAction::UseKnownFile)[..],
        [Effect::Work(Work::File(FileWork::ReadPointer(_)))]
    ));
    assert_eq!(model.focus, Some(Focus::KnownFile), "the next question");
    model.update(ShareAction::LeaveKnownFile);
    model.update(Event::PointerFileRead(Ok("cloak1x".into())));
    assert_eq!(model.screen, Screen::Receive);
    assert_eq!(model.receive.text.as_str(), "cloak1x");

    assert!(matches!(
        model.update(Arrival::Dropped(vec![found().path].into()))[..],
        [Effect::Work(Work::File(FileWork::ReadPointer(_)))]
    ));
    model.update(Event::PointerFileRead(Err(trouble())));
    assert!(model.notice.is_some());
}

#[test]
fn the_keyboard_goes_to_what_was_dropped() {
    let (model, _) = with_files(&["a", "b"]);
    let first = model.listed().next().map(|row| row.id);
    assert_eq!(model.focus, first.map(Focus::Row));
}

#[test]
fn what_was_said_of_one_drop_goes_with_the_next_and_nothing_else_does() {
    let gone = || FoundPath {
        kind: FoundKind::Missing,
        ..file("gone")
    };
    let mut model = model();
    model.update(Event::Looked(LookPurpose::Share, vec![gone()]));
    assert!(model.notice.is_some());
    model.update(Arrival::Dropped(vec![file("a").path].into()));
    assert!(model.notice.is_none());
    model.say(Tone::Danger, trouble());
    model.update(Arrival::Dropped(vec![file("b").path].into()));
    assert!(model.notice.is_some(), "it was said of something else");
}

#[test]
fn progress_is_said_by_quarters_and_not_one_after_the_other() {
    let (mut model, effects) = with_files(&["a"]);
    let run = shares(&effects)[0].0;
    let mut at = |percent, secs| {
        let before = model.announcement.number;
        let stage = uploaded(percent);
        model.update(Event::Progress(run, stage, Duration::from_secs(secs)));
        let said = model.announcement.number > before;
        said.then(|| aloud(&model))
    };
    assert_eq!(at(10, 6), None);
    assert_eq!(at(30, 11).as_deref(), Some("a: 25%"));
    assert_eq!(at(40, 20), None, "it was said");
    assert_eq!(at(55, 21).as_deref(), Some("a: 50%"));
    assert_eq!(at(80, 23), None, "a moment ago something was said");
    assert_eq!(at(90, 27).as_deref(), Some("a: 75%"));
    assert_eq!(at(100, 60), None);
    let (mut model, effects) = with_files(&["a"]);
    let run = shares(&effects)[0].0;
    let before = model.announcement.number;
    for (percent, millis) in [(30, 100), (60, 200), (90, 300)] {
        let stage = uploaded(percent);
        model.update(Event::Progress(run, stage, Duration::from_millis(millis)));
    }
    assert_eq!(
        model.announcement.number, before,
        "a quick one says nothing"
    );
}

/// The timer that looks whether a transfer moves, if `effects` starts it.
fn slow_timer(effects: &[Effect]) -> Option<Timer> {
    effects.iter().find_map(|effect| match effect {
        Effect::Work(Work::Later(timer @ Timer::Slow(..))) => Some(*timer),
        _ => None,
    })
}

#[test]
fn a_transfer_that_does_not_move_says_who_is_waited_for() {
    for (stage, said) in [
        (
            Stage::FindPath,
            "Finding a path. Waiting for Built-in network to answer",
        ),
        (
            Stage::Connect(FirstStop::Relay),
            "Waiting for the first relay to answer",
        ),
        (
            Stage::Connect(FirstStop::Server),
            "Waiting for Built-in network to answer",
        ),
        (
            uploaded(61),
            "Uploading, 61%. Waiting for the first relay to take more",
        ),
        (
            Stage::Crossing,
            "Still waiting for Built-in network to confirm",
        ),
    ] {
        let (mut model, effects) = with_files(&["a"]);
        let run = shares(&effects)[0].0;
        let timer = slow_timer(&model.update(Event::Progress(run, stage, NEVER)));
        let usual = text::doing(&model.transfers[0], stage);
        model.update(Event::Elapsed(timer.expect("it is watched")));
        assert_eq!(text::doing(&model.transfers[0], stage), said);
        assert_ne!(usual, said);
    }
}

/// The request for a file is small: that it has left says nothing of how much of the file is here.
#[test]
fn a_download_that_was_asked_for_is_at_its_beginning() {
    let mut model = with_pointer(info());
    model.update(ReceiveAction::Download);
    let run = model.transfers[0].run;
    model.update(Event::Progress(run, Stage::Crossing, NEVER));
    let said = text::doing(&model.transfers[0], Stage::Crossing);
    assert!(model.transfers[0].bar < 0.1);
    assert_eq!(said, "Waiting for files.example to answer");
    let half = Stage::Download {
        received: 50,
        total: 100,
    };
    model.update(Event::Progress(run, half, NEVER));
    let bar = model.transfers[0].bar;
    assert!((0.4..0.6).contains(&bar), "{bar}");
}

#[test]
fn a_server_without_relays_is_the_one_that_takes_the_bytes() {
    let (mut model, effects) = with_files(&["a"]);
    let run = shares(&effects)[0].0;
    let direct = Stage::Connect(FirstStop::Server);
    let timer = slow_timer(&model.update(Event::Progress(run, direct, NEVER)));
    let upload = uploaded(61);
    model.update(Event::Progress(run, upload, NEVER));
    let timer = slow_timer(&model.update(Event::Elapsed(timer.expect("it is watched"))));
    model.update(Event::Elapsed(timer.expect("it moved meanwhile")));
    assert_eq!(
        text::doing(&model.transfers[0], upload),
        "Uploading, 61%. Waiting for Built-in network to take more"
    );
}

#[test]
fn a_transfer_that_moves_is_watched_on_by_one_timer() {
    let (mut model, effects) = with_files(&["a"]);
    let run = shares(&effects)[0].0;
    let go = |model: &mut Model, percent| {
        slow_timer(&model.update(Event::Progress(run, uploaded(percent), NEVER)))
    };
    let first = go(&mut model, 10).expect("it is watched");
    assert_eq!(go(&mut model, 20), None, "one timer is enough");
    let second = slow_timer(&model.update(Event::Elapsed(first))).expect("it is watched on");
    assert!(!model.transfers[0].slow, "it moved");
    assert!(model.update(Event::Elapsed(second)).is_empty());
    assert!(model.transfers[0].slow, "it did not move");
    let third = go(&mut model, 30);
    assert!(
        third.is_some() && !model.transfers[0].slow,
        "it moves again"
    );
}

/// Ended by this error, after nothing was shown to anybody.
fn failed<T>(error: AppError) -> Ended<T> {
    Ended {
        result: Err(error.into()),
        shown: Vec::new(),
    }
}

/// A model that shares directly to `files.example`, with one file on its way there.
fn sharing_to_a_server() -> (Model, RunId) {
    let direct = ServerEntry {
        direct: true,
        ..server("files.example")
    };
    let mut model = model_with(Settings {
        chosen: ServerChoice::Server(direct.address.key),
        servers: vec![direct],
        ..settings()
    });
    let effects = model.update(Event::Looked(LookPurpose::Share, vec![file("a")]));
    let run = shares(&effects)[0].0;
    (model, run)
}

#[test]
fn the_sign_of_a_server_follows_uploads_that_it_fails_and_takes() {
    for (error, blamed) in [
        (AppError::Server(ServerRefusal::Full), true),
        (AppError::Server(ServerRefusal::Status(500)), true),
        (
            AppError::Server(ServerRefusal::AccessWord { given: false }),
            false,
        ),
        (AppError::NoRelays, false),
        (AppError::Cancelled, false),
    ] {
        let (mut model, run) = sharing_to_a_server();
        model.update(Event::Shared(run, failed(error)));
        let fails = matches!(model.server_standing(), ServerStanding::Failed(_));
        assert_eq!(fails, blamed);
        let id = model.transfers[0].id;
        let again = shares(&model.update(Action::Row(id, RowAction::Retry)))[0].0;
        model.update(Event::Shared(again, ended(Ok(shared()))));
        assert!(matches!(model.server_standing(), ServerStanding::Untried));
    }
}

#[test]
fn a_failed_upload_is_put_down_to_the_server_it_went_to() {
    let (mut model, run) = sharing_to_a_server();
    let went_to = model.settings.chosen;
    model.update(ServerAction::Use(ServerChoice::BuiltIn));
    model.update(Event::Shared(
        run,
        failed(AppError::Server(ServerRefusal::Full)),
    ));
    assert!(matches!(model.server_standing(), ServerStanding::Untried));
    model.update(ServerAction::Use(went_to));
    assert!(matches!(model.server_standing(), ServerStanding::Failed(_)));
}

#[test]
fn a_row_is_tried_again_by_itself_once_settings_have_what_helps() {
    let (mut model, run) = sharing_to_a_server();
    let refusal = ServerRefusal::AccessWord { given: false };
    model.update(Event::Shared(run, failed(AppError::Server(refusal))));
    let id = model.transfers[0].id;
    model.update(Action::Row(id, RowAction::Remedy));
    assert_eq!(model.screen, Screen::Settings);
    model.update(ServerAction::WordEdited("sesame".to_owned().into()));
    let effects = model.update(ServerAction::KeepWord);
    assert_eq!(shares(&effects).len(), 1, "it is sent again");
    assert_eq!(model.screen, Screen::Share);
    assert_eq!(model.focus, Some(Focus::Row(id)));
}

/// Another server than the one that the person shared to must not get the file without their doing.
#[test]
fn no_file_goes_by_itself_to_a_server_that_was_chosen_later() {
    let (mut model, run) = sharing_to_a_server();
    let refusal = ServerRefusal::AccessWord { given: false };
    model.update(Event::Shared(run, failed(AppError::Server(refusal))));
    let id = model.transfers[0].id;
    model.update(Action::Row(id, RowAction::Remedy));
    let effects = model.update(ServerAction::Use(ServerChoice::BuiltIn));
    assert!(shares(&effects).is_empty(), "nothing is sent");
    assert_eq!(model.screen, Screen::Share);
    assert_eq!(model.focus, Some(Focus::Row(id)), "and it can be");
    assert_eq!(
        shares(&model.update(Action::Row(id, RowAction::Retry))).len(),
        1
    );
}

#[test]
fn whoever_leaves_settings_without_a_change_is_not_sent_back_later() {
    let (mut model, run) = sharing_to_a_server();
    model.update(Event::Shared(
        run,
        failed(AppError::Server(ServerRefusal::Full)),
    ));
    let id = model.transfers[0].id;
    model.update(Action::Row(id, RowAction::Remedy));
    model.update(WindowAction::Go(Screen::Share));
    model.update(WindowAction::Go(Screen::Settings));
    let effects = model.update(ServerAction::Use(ServerChoice::BuiltIn));
    assert!(shares(&effects).is_empty());
    assert_eq!(model.screen, Screen::Settings);
}

#[test]
fn relays_that_a_pointer_wanted_lead_back_to_its_card() {
    let mut model = with_pointer(PointerInfo {
        lacks_relays: true,
        ..info()
    });
    model.update(RelayAction::Choose);
    assert_eq!(model.screen, Screen::Settings);
    model.update(Event::RelayListRead(Ok(ShownRelayList {
        source: RelaySource::Session,
        name: "friends".to_owned(),
        relays: 5,
    })));
    assert_eq!(model.screen, Screen::Receive);
    assert_eq!(model.focus, Some(Focus::Download));
}

/// A model whose only row could not be received for this reason.
fn receiving_failed(error: AppError) -> (Model, TransferId) {
    let mut model = with_pointer(info());
    model.update(ReceiveAction::Download);
    let row = &model.transfers[0];
    let (id, run) = (row.id, row.run);
    model.update(Event::Fetched(run, failed(error)));
    (model, id)
}

fn fetches(effects: &[Effect]) -> usize {
    let fetch = |effect: &&Effect| {
        matches!(
            effect,
            Effect::Work(Work::Request(RequestWork::Fetch { .. }))
        )
    };
    effects.iter().filter(fetch).count()
}

#[test]
fn another_folder_leads_back_to_what_could_not_be_saved() {
    let no_place = || AppError::NoPlace(SaveError::Folder(std::io::ErrorKind::NotFound.into()));
    let (mut model, id) = receiving_failed(no_place());
    model.update(Action::Row(id, RowAction::Remedy));
    let effects = model.update(Event::FolderChosen(Some(PathBuf::from("/media/usb"))));
    assert_eq!(fetches(&effects), 1, "it is fetched again");
    assert_eq!(model.focus, Some(Focus::Row(id)));

    let (mut model, id) = receiving_failed(no_place());
    model.update(Action::Row(id, RowAction::Remedy));
    model.update(Event::FolderChosen(None));
    model.update(SettingsAction::ChooseDownloads);
    let effects = model.update(Event::FolderChosen(Some(PathBuf::from("/media/usb"))));
    assert_eq!(
        fetches(&effects),
        0,
        "the dialog was opened for another reason"
    );

    let mut model = with_pointer(info());
    model.update(SettingsAction::ChooseDownloads);
    model.focus = None;
    model.update(Event::FolderChosen(Some(PathBuf::from("/media/usb"))));
    assert_eq!(model.focus, Some(Focus::Download), "back on the card");
}

#[test]
fn a_proxy_and_a_way_without_relays_lead_back_to_the_row() {
    let (mut model, id) = receiving_failed(AppError::NoRelays);
    model.update(Action::Row(id, RowAction::Remedy));
    assert_eq!(model.screen, Screen::Settings);
    model.update(RelayAction::ProxyEdited(
        "socks5://127.0.0.1:9050".to_owned(),
    ));
    assert_eq!(fetches(&model.update(RelayAction::UseProxy)), 1);
    assert_eq!(model.screen, Screen::Receive);
    assert_eq!(model.focus, Some(Focus::Row(id)));

    let (mut model, id) = receiving_failed(AppError::NoRelays);
    let known = server("files.example");
    let key = known.address.key;
    model.settings.servers = vec![known];
    model.update(Action::Row(id, RowAction::Remedy));
    let effects = model.update(Change::Direct(key, false));
    assert_eq!(fetches(&effects), 0);
    assert_eq!(model.screen, Screen::Settings);
    assert_eq!(fetches(&model.update(Change::Direct(key, true))), 1);
    assert_eq!(model.screen, Screen::Receive);
}

#[test]
fn a_change_that_does_not_help_leaves_the_row_waiting() {
    let (mut model, run) = sharing_to_a_server();
    let refusal = ServerRefusal::AccessWord { given: false };
    model.update(Event::Shared(run, failed(AppError::Server(refusal))));
    let id = model.transfers[0].id;
    model.update(Action::Row(id, RowAction::Remedy));
    model.update(RelayAction::ProxyEdited(
        "socks5://127.0.0.1:9050".to_owned(),
    ));
    assert!(shares(&model.update(RelayAction::UseProxy)).is_empty());
    model.update(SettingsAction::ChooseDownloads);
    let effects = model.update(Event::FolderChosen(Some(PathBuf::from("/media/usb"))));
    assert!(shares(&effects).is_empty());
    assert_eq!(model.screen, Screen::Settings);
    model.update(ServerAction::WordEdited("sesame".to_owned().into()));
    assert_eq!(shares(&model.update(ServerAction::KeepWord)).len(), 1);
}

#[test]
fn a_list_that_was_accepted_for_one_server_puts_the_keyboard_on_download() {
    let lacking = || PointerInfo {
        lacks_relays: true,
        offer: Some("lists.example".to_owned()),
        note: Some(PointerNote {
            message: trouble(),
            blocks: true,
        }),
        ..info()
    };
    let mut model = with_pointer(lacking());
    model.update(ReceiveAction::UseSendersList);
    model.focus = None;
    let effects = model.update(Event::Relays(Ok(RelaysKnown {
        list: None,
        seen: None,
        others: Vec::new(),
    })));
    assert!(matches!(
        effects[..],
        [Effect::Work(Work::Settings(SettingsWork::Describe(..)))]
    ));
    model.update(Event::Described(Ok(info())));
    assert_eq!(model.focus, Some(Focus::Download));

    // Whoever is typing is not torn out of the field.
    let mut model = with_pointer(lacking());
    model.focus = None;
    model.update(ReceiveAction::PointerEdited("cloak1y".into()));
    model.update(Event::Described(Ok(info())));
    assert_eq!(model.focus, None);
}
