//! Closing the window, the first start, focus and announcements.

use super::*;

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
    assert_eq!(busy.modal, None);
    assert_eq!(busy.unfinished(), 3);

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
fn what_begins_and_what_is_stopped_is_said_aloud() {
    let (mut model, _) = with_files(&["a.txt", "b.txt"]);
    assert_eq!(aloud(&model), "Sharing 2 items");
    let ids: Vec<TransferId> = model.transfers.iter().map(|row| row.id).collect();
    model.update(Action::Row(ids[0], RowAction::Cancel));
    assert_eq!(aloud(&model), "a.txt was cancelled");
    model.update(Action::Row(ids[0], RowAction::Retry));
    assert_eq!(aloud(&model), "Sharing a.txt");
    model.update(Action::Row(ids[0], RowAction::Cancel));
    model.update(Action::Row(ids[1], RowAction::Cancel));
    let gone = FoundPath {
        kind: FoundKind::Missing,
        ..file("c")
    };
    model.update(Event::Looked(LookPurpose::Share, vec![gone]));
    assert!(aloud(&model).contains("not shared"), "not begun");

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
