//! Deleting a shared file from its server, and having it kept longer.

use super::*;

/// A person can mend the file while the window is open; the default settings could send past the proxy that it names.
#[test]
fn settings_that_can_be_read_again_apply_with_what_was_changed_meanwhile() {
    let mut model = Model::new(LoadedSettings {
        settings: settings(),
        usual_downloads: PathBuf::new(),
        trouble: Some(trouble()),
    });
    model.update(Change::Theme(Theme::Dark));
    let mended = Settings {
        proxy: "socks5://127.0.0.1:9050".parse().ok(),
        history: false,
        ..with_session_relays()
    };
    let read_again = || Event::SettingsInUse(Ok(SettingsInUse::Own(Box::new(mended.clone()))));
    let effects = model.update(read_again());
    let expected = Settings {
        theme: Theme::Dark,
        ..mended.clone()
    };
    assert_eq!(model.settings, expected);
    assert!(matches!(
        &effects[..],
        [
            Effect::Work(Work::History(HistoryWork::Set(false))),
            Effect::Work(Work::Request(RequestWork::FindLeft)),
            Effect::Work(Work::Settings(SettingsWork::ReadKeptList(_))),
            Effect::Work(Work::Settings(SettingsWork::Terms(_))),
            Effect::Work(Work::Settings(SettingsWork::LookAtNetworks(_))),
            Effect::Work(Work::Settings(SettingsWork::Save(_, kept))),
        ]
            if **kept == expected
    ));

    // The second of two clicks undoes nothing.
    model.update(Change::Zoom(150));
    assert!(model.update(read_again()).is_empty());
    assert_eq!(model.settings.zoom, 150);
}

#[test]
fn a_shared_file_is_deleted_only_after_the_question_and_once() {
    let (mut model, id) = with_one_shared();
    model.update(ModalAction::Open(Modal::Delete(id)));
    assert!(model.modal.as_ref().is_some_and(Modal::asks));
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
