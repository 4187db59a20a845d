//! The Receive screen: pointers that arrive, are described and downloaded.

use super::*;

#[test]
fn pasted_text_lands_in_receive_and_starts_nothing() {
    let mut model = model();
    let effects = model.update(Arrival::Pasted("look: cloak1x".into()));
    assert_eq!(model.screen, Screen::Receive);
    assert!(matches!(
        effects[..],
        [Effect::Work(Work::Settings(SettingsWork::Describe(..)))]
    ));
    model.update(Event::Described(Ok(info().into())));
    assert!(model.transfers.is_empty());
    assert_eq!(model.focus, Some(Focus::Download));
}

#[test]
fn nothing_is_fetched_under_the_description_of_another_pointer() {
    let mut model = with_pointer(info());
    model.update(ReceiveAction::PointerEdited("cloak1y".into()));
    assert!(model.update(ReceiveAction::Download).is_empty());
    model.update(Event::Described(Ok(info().into())));
    assert!(matches!(
        model.update(ReceiveAction::Download)[..],
        [
            Effect::Work(Work::History(HistoryWork::Remember(..))),
            Effect::Work(Work::Request(RequestWork::Fetch(..))),
            ..
        ]
    ));
    // What the emptied field was comes too late.
    model.update(Event::Described(Ok(info().into())));
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
        model.update(Event::Described(Ok(info().into())));
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
fn download_moves_the_pointer_from_the_field_to_the_list() {
    let mut model = with_pointer(info());
    let effects = model.update(ReceiveAction::Download);
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Work(Work::Request(RequestWork::Fetch(..)))))
    );
    assert!(model.receive.text.as_str().is_empty());
    assert_eq!(names(&model)[0], "a.pdf");
}

#[test]
fn a_fetch_does_not_wait_behind_shares() {
    let (mut model, _) = with_files(&["a", "b", "c"]);
    model.update(Arrival::Pasted("cloak1x".into()));
    model.update(Event::Described(Ok(info().into())));
    assert!(
        model
            .update(ReceiveAction::Download)
            .iter()
            .any(|effect| matches!(effect, Effect::Work(Work::Request(RequestWork::Fetch(..)))))
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
        aside: None,
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
fn changed_relays_are_held_against_the_pointer_in_the_field_again() {
    let mut model = with_pointer(info());
    model.settings = with_session_relays();
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
            Effect::Work(Work::Request(RequestWork::Relays(RelayWish::Look, ..)))
        ]
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
            Effect::Work(Work::Request(RequestWork::Fetch(_, wanted, _)))
                if wanted.tell_sender == told
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
            ..
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
    let effects = model.update(Event::Relays(None, Ok(Box::new(known))));
    assert!(matches!(
        effects[..],
        [Effect::Work(Work::Settings(SettingsWork::Describe(..)))]
    ));
}
