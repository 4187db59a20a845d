//! Removing rows, servers, lists and the proxy, and undoing it.

use super::*;

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
    let word = AccessWord::parse("sesame").ok();
    let known = ServerEntry {
        access_word: word,
        ..server("files.example")
    };
    let address = known.address.clone();
    let kept = Settings {
        chosen: ServerChoice::Server(address.clone()),
        servers: vec![
            server("a.example"),
            known.through(RelaySource::Session),
            server("b.example"),
        ],
        proxy: "socks5://127.0.0.1:9050".parse().ok(),
        ..settings()
    };
    let mut model = model_with(kept.clone());
    for action in [
        Action::from(ServerAction::Remove(address)),
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
fn a_removed_server_is_called_as_it_was_in_the_list() {
    let mut model = model();
    let plain = server("files.example");
    let key = plain.address.key.to_hex();
    let address = format!("https://files.example#p={key}");
    let encrypted = ServerEntry::new("", address.parse().expect("an address"));
    model.settings.servers = vec![plain.clone(), encrypted.clone()];
    for (removed, name) in [
        (plain, "http://files.example"),
        (encrypted, "files.example"),
    ] {
        model.update(ServerAction::Remove(removed.address));
        let Some(RemovedItem::Server(said)) = model.undo.as_ref().map(Undo::removed) else {
            panic!("nothing to undo");
        };
        assert_eq!(said.trim_end_matches('/'), name);
    }
}
