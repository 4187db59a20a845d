//! The progress bar, speed, and what is announced of a running transfer.

use super::*;

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
