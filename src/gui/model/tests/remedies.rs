//! What helps after a failure, and the way back from Settings.

use super::*;
use crate::app::settings::{SettingsError, UnreadSettings};

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
    let went_to = model.settings.chosen.clone();
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
    let pointed_at = server("files.example").address;
    model.receive.text = pointer_to(&pointed_at);
    model.update(RelayAction::Choose);
    assert_eq!(model.screen, Screen::Settings);
    assert_eq!(model.relays_server(), Some(&pointed_at));
    assert!(model.settings.servers.is_empty(), "nothing is decided yet");
    model.update(Event::RelayListRead(Ok(ShownRelayList {
        source: RelaySource::Session,
        name: "friends".to_owned(),
        relays: 5,
    })));
    assert_eq!(model.screen, Screen::Receive);
    assert_eq!(model.focus, Some(Focus::Download));
    // Its server is one of the person's networks now; new files go where they went.
    let relays = model.settings.relays_of(&pointed_at);
    assert_eq!(relays, Some(&RelaySource::Session));
    assert_eq!(model.settings.chosen, ServerChoice::BuiltIn);
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
    let fetch =
        |effect: &&Effect| matches!(effect, Effect::Work(Work::Request(RequestWork::Fetch(..))));
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
    let address = known.address.clone();
    model.settings.servers = vec![known];
    model.update(Action::Row(id, RowAction::Remedy));
    let effects = model.update(Change::Direct(address.clone(), false));
    assert_eq!(fetches(&effects), 0);
    assert_eq!(model.screen, Screen::Settings);
    assert_eq!(fetches(&model.update(Change::Direct(address, true))), 1);
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
    let effects = model.update(Event::Relays(
        None,
        Ok(Box::new(RelaysKnown {
            list: None,
            seen: None,
            others: Vec::new(),
        })),
    ));
    assert!(matches!(
        effects[..],
        [Effect::Work(Work::Settings(SettingsWork::Describe(..)))]
    ));
    model.update(Event::Described(Ok(info().into())));
    assert_eq!(model.focus, Some(Focus::Download));

    // Whoever is typing is not torn out of the field.
    let mut model = with_pointer(lacking());
    model.focus = None;
    model.update(ReceiveAction::PointerEdited("cloak1y".into()));
    model.update(Event::Described(Ok(info().into())));
    assert_eq!(model.focus, None);
}

#[test]
fn the_default_settings_are_decided_once_and_rows_that_failed_before_are_tried_again() {
    let (mut model, run) = sharing_to_a_server();
    let unread = UnreadSettings {
        error: SettingsError::Newer,
        file: "config.toml".into(),
    };
    model.made_while_unread = Some(Vec::new());
    model.update(Event::Shared(run, failed(unread.into())));
    let id = model.transfers[0].id;
    assert!(matches!(
        model.update(Action::Row(id, RowAction::Remedy))[..],
        [Effect::Work(Work::Settings(SettingsWork::UseDefaults))]
    ));
    model.update(Event::SettingsInUse(Ok(SettingsInUse::Default(None))));
    let effects = model.update(Action::Row(id, RowAction::Remedy));
    assert_eq!(shares(&effects).len(), 1);
}
