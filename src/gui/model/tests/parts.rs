//! What is large or goes in parts: asked about, stopped and gone on with, given up, and left by an earlier start.

use super::*;
use crate::app::kept::history::{EntryId, HistoryEntry, What};
use crate::app::kept::unfinished::UnfinishedId;
use crate::app::transfer::stage::PartsMoved;

fn moved(done: u64, moving: u64) -> Stage {
    Stage::Parts(PartsMoved {
        done,
        moving,
        total: 100_000_000,
    })
}

/// A model whose only transfer is in parts, with so much of it confirmed.
fn in_parts(done: u64) -> (Model, TransferId, RunId) {
    let (mut model, effects) = with_files(&["a"]);
    let run = shares(&effects)[0].0;
    model.update(Event::Kept(run, unfinished(OF_THIS_START)));
    model.update(Event::Progress(run, moved(done, 0), NEVER));
    let id = model.transfers[0].id;
    (model, id, run)
}

fn unfinished(id: &str) -> UnfinishedId {
    UnfinishedId::parse(id).expect("an id")
}

const ID: &str = "0011223344556677";
const OF_THIS_START: &str = "7766554433221100";

/// A share of `/tmp/a`, or the download of a pointer, that an earlier start left.
fn left(job: LeftJob) -> Event {
    Event::Left(vec![LeftTransfer {
        id: unfinished(ID),
        about: Ok(AboutLeft {
            job,
            name: ShownName::Given("a".to_owned()),
            moved: PartsMoved {
                done: 60_000_000,
                moving: 0,
                total: 100_000_000,
            },
            server: ServerLabel::Named("files.example".to_owned()),
        }),
    }])
}

fn history(what: What) -> Event {
    let entry = HistoryEntry {
        id: EntryId(7),
        name: "a".to_owned(),
        len: 100_000_000,
        hour: 0,
        what,
    };
    Event::History(News::Entries(vec![entry]))
}

fn share_of_a() -> LeftJob {
    LeftJob::Share(vec![file("a").path])
}

fn discards(effects: &[Effect]) -> usize {
    let discards = |effect: &&Effect| {
        matches!(
            effect,
            Effect::Work(Work::Request(RequestWork::Discard(..)))
        )
    };
    effects.iter().filter(discards).count()
}

fn cancelled<T>() -> Ended<T> {
    failed(AppError::Cancelled)
}

#[test]
fn more_than_a_gigabyte_is_asked_about_once() {
    let mut model = model();
    let found = FoundPath {
        kind: FoundKind::File { len: 1_000_000_001 },
        ..file("film.mkv")
    };
    let effects = model.update(Event::Looked(LookPurpose::Share, vec![found]));
    assert!(effects.is_empty(), "neither sent nor kept");
    assert_eq!(model.unfinished(), 0);
    let id = model.transfers[0].id;
    assert!(aloud(&model).contains("1 GB"), "{}", aloud(&model));
    let effects = model.update(Action::Row(id, RowAction::Main));
    assert_eq!(shares(&effects).len(), 1);
    assert!(model.update(Action::Row(id, RowAction::Confirm)).is_empty());

    let mut model = with_pointer(PointerInfo {
        len: 1_000_000_001,
        ..info()
    });
    assert!(model.update(ReceiveAction::Download).is_empty());
    let id = model.transfers[0].id;
    let effects = model.update(Action::Row(id, RowAction::Confirm));
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Work(Work::Request(RequestWork::Fetch(..)))))
    );
}

#[test]
fn what_is_asked_about_can_be_left() {
    let mut model = model();
    let found = FoundPath {
        kind: FoundKind::Folder {
            len: Some(2_000_000_000),
        },
        ..file("films")
    };
    model.update(Event::Looked(LookPurpose::Share, vec![found]));
    let id = model.transfers[0].id;
    model.update(Action::Row(id, RowAction::Remove));
    assert!(model.transfers.is_empty() && model.modal.is_none());
}

#[test]
fn the_bar_and_the_speed_of_parts_follow_what_moves() {
    let (mut model, id, run) = in_parts(0);
    let mut last = model.transfers[0].bar;
    for (at, done, moving) in [
        (1, 0, 10_000_000),
        (2, 10_000_000, 10_000_000),
        (3, 20_000_000, 10_000_000),
        // A part was lost on its way.
        (4, 20_000_000, 0),
        (5, 30_000_000, 0),
    ] {
        let at = Duration::from_secs(at);
        model.update(Event::Progress(run, moved(done, moving), at));
        let bar = model.transfers[0].bar;
        assert!(bar >= last && bar < 1.0, "{bar} after {last}");
        last = bar;
    }
    let at = Duration::from_secs(7);
    model.update(Event::Progress(run, moved(50_000_000, 0), at));
    let speed = model.transfers[0].speed().expect("it moves");
    assert!((5_000_000..15_000_000).contains(&speed.bytes_per_sec));
    let waiting = Stage::Waiting { secs: 30 };
    model.update(Event::Progress(run, waiting, at));
    let row = model.transfer(id).expect("the row");
    assert_eq!(row.speed(), None, "nothing moves");
    assert!(text::doing(row, waiting).contains("30"));
}

#[test]
fn parts_that_are_tried_again_without_a_byte_getting_through_do_not_look_like_progress() {
    let (mut model, effects) = with_files(&["a"]);
    let run = shares(&effects)[0].0;
    let timer = |effects: Vec<Effect>| {
        effects.into_iter().find_map(|effect| match effect {
            Effect::Work(Work::Later(timer @ Timer::Slow(..))) => Some(timer),
            _ => None,
        })
    };
    let step = |model: &mut Model, moving| {
        timer(model.update(Event::Progress(run, moved(10_000_000, moving), NEVER)))
    };
    let first = step(&mut model, 0).expect("it is watched");
    step(&mut model, 1_000_000);
    let second = timer(model.update(Event::Elapsed(first))).expect("watched on");
    for _try in 0..4 {
        step(&mut model, 0);
    }
    model.update(Event::Elapsed(second));
    assert!(model.transfers[0].slow);
    let said = text::doing(&model.transfers[0], moved(10_000_000, 0));
    assert!(said.contains("10 MB of 100 MB"), "{said}");
    assert!(said.contains("Waiting"), "{said}");
    step(&mut model, 2_000_000);
    assert!(!model.transfers[0].slow);
}

#[test]
fn a_paused_transfer_goes_on_only_once_it_has_stopped() {
    let (mut model, id, run) = in_parts(60_000_000);
    let effects = model.update(Action::Row(id, RowAction::Pause));
    assert!(matches!(
        effects[..],
        [Effect::Work(Work::Request(RequestWork::Cancel(stopped)))] if stopped == run
    ));
    let row = model.transfer(id).expect("the row");
    assert!(row.can_resume());
    assert!(text::stands_at(row).contains("60 MB of 100 MB"));
    let bar = row.bar;
    let effects = model.update(Action::Row(id, RowAction::Main));
    assert!(shares(&effects).is_empty(), "the first attempt still ends");
    assert!((model.transfers[0].bar - bar).abs() < f32::EPSILON);
    let effects = model.update(Event::Shared(run, cancelled()));
    let again = effects.iter().find_map(|effect| match effect {
        Effect::Work(Work::Request(RequestWork::Share(run, wanted, _))) => Some((*run, wanted)),
        _ => None,
    });
    let (again, wanted) = again.expect("it goes on");
    assert_ne!(again, run);
    assert_eq!(wanted.kept, Some(unfinished(OF_THIS_START)));
}

#[test]
fn a_transfer_that_got_through_while_it_was_being_paused_is_done() {
    let (mut model, id, run) = in_parts(60_000_000);
    model.update(Action::Row(id, RowAction::Pause));
    model.update(Action::Row(id, RowAction::Retry));
    let effects = model.update(Event::Shared(run, ended(Ok(shared()))));
    assert!(shares(&effects).is_empty(), "not sent a second time");
    assert!(model.transfers[0].pointer().is_some());
    assert!(!model.transfers[0].can_resume());
}

#[test]
fn what_has_moved_is_given_up_only_after_a_question_and_once_it_has_stopped() {
    for action in [RowAction::Cancel, RowAction::Remove] {
        let (mut model, id, run) = in_parts(60_000_000);
        assert!(model.update(Action::Row(id, action)).is_empty());
        assert_eq!(model.modal, Some(Modal::Discard(id)));
        let effects = model.update(Action::Row(id, RowAction::Discard));
        assert_eq!(discards(&effects), 0, "it still runs");
        let effects = model.update(Event::Shared(run, cancelled()));
        assert_eq!(discards(&effects), 1);
        assert!(model.update(Action::Row(id, RowAction::Discard)).is_empty());
        model.update(Event::Discarded(id, ended(Ok(true))));
        let row = model.transfer(id).expect("the row says so");
        assert!(matches!(
            row.told,
            Some(Told::Discarded { some_left: true })
        ));
        assert!(!row.can_resume());
        model.update(Action::Row(id, RowAction::Remove));
        assert!(model.transfers.is_empty());
    }
}

#[test]
fn what_cannot_be_given_up_stays_and_says_why() {
    let (mut model, id, run) = in_parts(60_000_000);
    model.update(Action::Row(id, RowAction::Discard));
    model.update(Event::Shared(run, cancelled()));
    model.update(Event::Discarded(id, ended(Err(trouble()))));
    let row = model.transfer(id).expect("the row");
    assert!(matches!(row.state, TransferState::Failed(_)));
    assert!(row.can_resume());
}

#[test]
fn what_an_earlier_start_left_is_a_row_that_only_the_person_has_go_on() {
    let mut model = model();
    assert!(model.update(left(share_of_a())).is_empty());
    assert_eq!(model.unfinished(), 0);
    let row = &model.transfers[0];
    assert!(text::stands_at(row).contains("60 MB of 100 MB"));
    assert!(row.bar > 0.5);
    let id = row.id;
    let effects = model.update(Action::Row(id, RowAction::Main));
    let kept = effects.iter().find_map(|effect| match effect {
        Effect::Work(Work::Request(RequestWork::Share(_, wanted, _))) => Some(wanted.kept.clone()),
        _ => None,
    });
    assert_eq!(kept, Some(Some(unfinished(ID))));
    assert_eq!(
        model.transfers[0].server,
        ServerLabel::Named("files.example".to_owned()),
        "it goes on where it was"
    );
}

#[test]
fn what_the_history_has_too_is_one_row_whichever_comes_first() {
    let sharing = || {
        history(What::Sharing {
            paths: vec![file("a").path],
        })
    };
    let receiving = || {
        history(What::Receiving {
            pointer: Arc::new(Zeroizing::new("cloak1x".to_owned())),
            only: Vec::new(),
            tell_sender: false,
            server: "files.example".to_owned(),
        })
    };
    let download = || left(LeftJob::Receive("cloak1x".into()));
    for events in [
        [sharing(), left(share_of_a())],
        [left(share_of_a()), sharing()],
        [receiving(), download()],
        [download(), receiving()],
    ] {
        let mut model = model();
        for event in events {
            model.update(event);
        }
        let [row] = &model.transfers[..] else {
            panic!("{:?}", names(&model));
        };
        assert_eq!(row.entry, Some(EntryId(7)));
        assert_eq!(row.kept, Some(unfinished(ID)));
        assert!(row.can_resume());
    }
}

#[test]
fn two_shares_of_one_file_are_two_rows_and_each_is_given_up_by_itself() {
    let (mut model, new, run) = in_parts(30_000_000);
    model.update(left(share_of_a()));
    let [first, second] = &model.transfers[..] else {
        panic!("two rows");
    };
    let (of_this_start, of_earlier) = (unfinished(OF_THIS_START), unfinished(ID));
    assert_eq!(first.kept.as_ref(), Some(&of_this_start));
    assert_eq!(second.kept.as_ref(), Some(&of_earlier));
    let old = second.id;
    let given_up = |effects: &[Effect]| {
        effects.iter().find_map(|effect| match effect {
            Effect::Work(Work::Request(RequestWork::Discard(_, kept, _))) => Some(kept.clone()),
            _ => None,
        })
    };
    let effects = model.update(Action::Row(old, RowAction::Discard));
    assert_eq!(given_up(&effects), Some(of_earlier));
    model.update(Action::Row(new, RowAction::Discard));
    let effects = model.update(Event::Shared(run, cancelled()));
    assert_eq!(given_up(&effects), Some(of_this_start));

    // What this start keeps itself is not left by an earlier one, too.
    model.update(left(share_of_a()));
    assert_eq!(model.transfers.len(), 2);
}

#[test]
fn what_was_left_and_is_gone_begins_anew() {
    use crate::app::transfer::parts::resume::UnfinishedError;
    let mut model = model();
    model.update(left(share_of_a()));
    let id = model.transfers[0].id;
    let effects = model.update(Action::Row(id, RowAction::Retry));
    let run = shares(&effects)[0].0;
    model.update(Event::Shared(run, failed(UnfinishedError::Unknown.into())));
    assert!(!model.transfers[0].can_resume());
}

#[test]
fn closing_keeps_what_goes_in_parts() {
    let (mut model, id, _) = in_parts(60_000_000);
    model.update(WindowAction::CloseRequested);
    let effects = model.update(ModalAction::StopAndQuit);
    assert_eq!(discards(&effects), 0);
    assert!(model.transfer(id).is_some_and(Transfer::can_resume));
}
