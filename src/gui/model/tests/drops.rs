//! Files that are dropped, pasted or chosen.

use super::*;

#[test]
fn a_folder_is_shared_as_it_is() {
    let mut model = model();
    let found = vec![folder("photos")];
    let effects = model.update(Event::Looked(LookPurpose::Share, found));
    assert_eq!(shares(&effects)[0].1, "photos");
    assert!(model.notice.is_none() && model.together.is_empty());
    let row = &model.transfers[0];
    assert!(!row.is_single_file);
    assert_eq!((row.len, row.blob_len()), (Some(2_000), None));
}

#[test]
fn what_is_larger_than_anything_that_can_be_sent_is_refused_in_words() {
    let mut model = model();
    let found = FoundPath {
        kind: FoundKind::File { len: u64::MAX },
        ..file("disk.img")
    };
    let effects = model.update(Event::Looked(LookPurpose::Share, vec![found]));
    assert!(shares(&effects).is_empty());
    let notice = model.notice.as_ref().expect("a notice");
    let said = text::window_message(&notice.message);
    assert!(said.what.contains("disk.img"), "{}", said.what);
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
        holds: PointerHolds::File,
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
fn a_chosen_folder_is_looked_at_as_a_dropped_one() {
    let mut model = model();
    assert!(matches!(
        model.update(ShareAction::ChooseFolder)[..],
        [Effect::Work(Work::Dialog(DialogWork::PickFolderToShare))]
    ));
    let effects = model.update(Event::FilesChosen(vec![folder("photos").path]));
    assert!(matches!(
        effects[..],
        [Effect::Work(Work::File(FileWork::Look(
            LookPurpose::Share,
            _
        )))]
    ));
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
