//! Looking into a folder before it is downloaded, and what of it is wanted.

use std::sync::Arc;

use super::*;
use crate::app::transfer::get::Choice;
use crate::protocol::folder::{EntryKind, FolderEntry, ManifestWriter};

/// A folder of so many files, each as long as its number says, and an empty folder behind them.
fn manifest(files: u32) -> Arc<Manifest> {
    let mut writer = ManifestWriter::default();
    let mut push = |path: &str, kind| {
        let entry = FolderEntry {
            path,
            kind,
            modified: None,
        };
        writer.push(&entry).expect("it can be in a folder");
    };
    for number in 0..files {
        let kind = EntryKind::File {
            len_bytes: number.into(),
            executable: false,
        };
        push(&format!("a/{number:07}"), kind);
    }
    push("b", EntryKind::EmptyFolder);
    Arc::new(writer.finish().expect("it is not too long"))
}

fn with_folder() -> Model {
    with_pointer(PointerInfo {
        holds: PointerHolds::Folder,
        ..info()
    })
}

/// A model that has looked into such a folder.
fn looked_into(files: u32) -> Model {
    let mut model = with_folder();
    let effects = model.update(ReceiveAction::ShowContent);
    let [Effect::Work(Work::Request(RequestWork::List(run, ..)))] = effects[..] else {
        panic!("it is asked for");
    };
    let found = ended(Ok(Some(manifest(files))));
    model.update(Event::Listed(run, found));
    model
}

fn listing(model: &Model) -> &FolderListing {
    match &model.receive.listing {
        Some(Listing::Folder(listing)) => listing,
        _ => panic!("a folder"),
    }
}

/// What of it the next download asks for, and the row that it is.
fn download(model: &mut Model) -> Choice {
    let effects = model.update(ReceiveAction::Download);
    let wanted = effects.iter().find_map(|effect| match effect {
        Effect::Work(Work::Request(RequestWork::Fetch(_, wanted, _))) => Some(wanted),
        _ => None,
    });
    wanted.expect("it is fetched").choice.clone()
}

#[test]
fn all_of_a_folder_is_wanted_until_the_person_says_otherwise() {
    let mut model = looked_into(3);
    assert!(aloud(&model).contains('4'), "{}", aloud(&model));
    assert_eq!((listing(&model).wanted(), listing(&model).len()), (4, 3));
    assert_eq!(download(&mut model), Choice::All);
    assert_eq!(model.transfers[0].tries(), 1, "looking into it counts");

    let mut model = looked_into(3);
    model.update(ReceiveAction::Want(1, false));
    model.update(ReceiveAction::Want(1, false));
    assert_eq!((listing(&model).wanted(), listing(&model).len()), (3, 2));
    let rest = ["a/0000000", "a/0000002", "b"].map(str::to_owned);
    assert_eq!(download(&mut model), Choice::Only(rest.into()));
    assert_eq!(model.transfers[0].len, Some(2));
}

#[test]
fn nothing_of_a_folder_cannot_be_downloaded() {
    let mut model = looked_into(3);
    model.update(ReceiveAction::WantAll(false));
    assert!(!model.receive.can_download());
    assert!(model.update(ReceiveAction::Download).is_empty());
    model.update(ReceiveAction::Want(3, true));
    assert_eq!(download(&mut model), Choice::Only(vec!["b".to_owned()]));
}

#[test]
fn a_part_of_a_folder_is_kept_as_such_unless_its_list_is_very_long() {
    for (files, is_kept) in [(3, true), (1_200, false)] {
        let mut model = looked_into(files);
        model.update(ReceiveAction::Want(1, false));
        let effects = model.update(ReceiveAction::Download);
        let kept = effects.iter().find_map(|effect| match effect {
            Effect::Work(Work::History(HistoryWork::Remember(_, kept))) => Some(&kept.outcome),
            _ => None,
        });
        match kept {
            Some(TransferOutcome::Receiving { choice, .. }) => {
                let rest = ["a/0000000", "a/0000002", "b"].map(str::to_owned);
                assert_eq!(*choice, Choice::Only(rest.into()));
                assert!(is_kept);
            }
            Some(_) => panic!("it is under way"),
            None => assert!(!is_kept, "{files}"),
        }
    }
}

#[test]
fn only_what_is_visible_of_a_long_list_is_read() {
    let model = looked_into(300);
    let rows: Vec<_> = listing(&model).rows(298..310).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!((rows[0].number, rows[0].path), (298, "a/0000298"));
    assert_eq!((rows[2].path, rows[2].len), ("b", None));
}

#[test]
fn what_was_found_in_one_folder_is_not_said_of_another() {
    let mut model = with_folder();
    let effects = model.update(ReceiveAction::ShowContent);
    let [Effect::Work(Work::Request(RequestWork::List(run, ..)))] = effects[..] else {
        panic!("it is asked for");
    };
    assert!(model.update(ReceiveAction::ShowContent).is_empty(), "once");
    let effects = model.update(ReceiveAction::PointerEdited("cloak1y".into()));
    assert!(matches!(
        effects[0],
        Effect::Work(Work::Request(RequestWork::Cancel(stopped))) if stopped == run
    ));
    model.update(Event::Described(Ok(info().into())));
    model.update(Event::Listed(run, ended(Ok(Some(manifest(3))))));
    assert!(model.receive.listing.is_none());
}

#[test]
fn a_single_file_and_a_failure_are_said_and_can_be_downloaded_all_the_same() {
    for result in [Ok(None), Err(trouble())] {
        let failed = result.is_err();
        let mut model = with_pointer(PointerInfo {
            holds: PointerHolds::Either,
            ..info()
        });
        let effects = model.update(ReceiveAction::ShowContent);
        let [Effect::Work(Work::Request(RequestWork::List(run, ..)))] = effects[..] else {
            panic!("it is asked for");
        };
        model.update(Event::Listed(run, ended(result)));
        assert!(!aloud(&model).is_empty());
        assert_eq!(model.update(ReceiveAction::ShowContent).is_empty(), !failed);
        assert_eq!(download(&mut model), Choice::All);
    }
}
