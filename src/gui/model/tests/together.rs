//! Several things that come together.

use super::*;

fn came(model: &mut Model, names: &[&str]) -> Vec<Effect> {
    let found = names.iter().map(|name| file(name)).collect();
    model.update(Event::Looked(LookPurpose::Share, found))
}

#[test]
fn several_things_wait_for_the_persons_word_and_are_shared_in_that_way() {
    let mut model = model();
    let effects = came(&mut model, &["a", "b", "c"]);
    assert!(shares(&effects).is_empty() && model.transfers.is_empty());
    assert_eq!(model.focus, Some(Focus::Together));
    assert!(aloud(&model).contains('3'), "{}", aloud(&model));
    let effects = model.update(ShareAction::ShareTogether(SeveralThings::AsOne));
    assert_eq!(shares(&effects)[0].1, "a+b+c");
    assert_eq!(names(&model), ["a, b, …"]);
    assert!(!model.transfers[0].is_single_file);
    assert_eq!(model.transfers[0].len, Some(3_000));

    came(&mut model, &["d", "e"]);
    let effects = model.update(ShareAction::ShareTogether(SeveralThings::OneEach));
    let begun: Vec<String> = shares(&effects).into_iter().map(|share| share.1).collect();
    assert_eq!(begun, ["d"], "the other waits for its turn");
    assert_eq!(names(&model)[..2], ["d", "e"]);
    assert!(model.transfers[0].is_single_file);

    came(&mut model, &["f", "g"]);
    assert!(model.update(ShareAction::LeaveTogether).is_empty());
    assert_eq!(model.transfers.len(), 3);
    assert!(model.together.is_empty());
}

#[test]
fn an_answer_is_kept_where_the_person_wants_that_and_holds_for_what_waits() {
    let mut model = model();
    came(&mut model, &["a", "b"]);
    came(&mut model, &["c", "d"]);
    model.update(ShareAction::KeepTogether(true));
    let effects = model.update(ShareAction::ShareTogether(SeveralThings::AsOne));
    let kept = effects.iter().any(|effect| {
        matches!(
            effect,
            Effect::Work(Work::Settings(SettingsWork::Save(changes, _)))
                if changes[..] == [Change::SeveralThings(SeveralThings::AsOne)]
        )
    });
    assert!(kept);
    assert_eq!(names(&model), ["c, d", "a, b"]);
    assert!(!model.keep_together);
    let effects = came(&mut model, &["e", "f"]);
    assert!(model.together.is_empty(), "not asked again");
    assert_eq!(names(&model)[0], "e, f");
    assert!(shares(&effects).is_empty(), "two are on their way already");
}

#[test]
fn one_thing_is_never_asked_about() {
    let mut model = model();
    assert_eq!(shares(&came(&mut model, &["a"])).len(), 1);
    assert!(model.together.is_empty());
}

#[test]
fn what_a_folder_may_not_hold_is_said_before_the_question() {
    let mut model = model();
    let gone = FoundPath {
        kind: FoundKind::Missing,
        ..file("gone")
    };
    let found = vec![file("a"), gone, folder("b")];
    model.update(Event::Looked(LookPurpose::Share, found));
    assert_eq!(model.together[0].0.len(), 2);
    assert!(model.notice.is_some());
}
