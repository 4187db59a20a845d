//! Transfers in the list: how they start, stop, and are tried again.

use super::*;

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
fn a_long_list_is_shown_a_page_at_a_time_and_narrowed_down_by_kind() {
    let mut model = with_pointer(info());
    model.settings.several_things = SeveralThings::OneEach;
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
    model.settings.several_things = SeveralThings::OneEach;
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
