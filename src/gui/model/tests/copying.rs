//! Copying a pointer, and clearing the clipboard.

use super::*;

#[test]
fn copied_is_shown_until_the_time_of_the_last_copy_has_passed() {
    let (mut model, id) = with_one_shared();
    assert!(matches!(
        model.update(Action::Row(id, RowAction::CopyPointer))[..],
        [Effect::Work(Work::Clipboard(ClipboardWork::Copy(..)))]
    ));
    let first = model.update(Event::Copied(id, Ok(())));
    let second = model.update(Event::Copied(id, Ok(())));
    let timer = |effects: &[Effect]| match effects {
        [Effect::Work(Work::Later(timer))] => *timer,
        _ => panic!("a timer"),
    };
    model.update(Event::Elapsed(timer(&first)));
    assert_eq!(model.copied, Some(id));
    model.update(Event::Elapsed(timer(&second)));
    assert_eq!(model.copied, None);
}

#[test]
fn nothing_is_copied_before_the_server_has_confirmed() {
    let (mut model, _) = with_files(&["a"]);
    let id = model.transfers[0].id;
    assert!(
        model
            .update(Action::Row(id, RowAction::CopyPointer))
            .is_empty()
    );
}

#[test]
fn a_copied_pointer_is_cleared_after_its_minute_unless_another_came() {
    let (mut model, id) = with_one_shared();
    model.update(Change::ClearClipboard(true));
    model.update(Action::Row(id, RowAction::CopyPointer));
    let first = model.update(Event::Copied(id, Ok(())));
    model.update(Action::Row(id, RowAction::CopyPointer));
    let second = model.update(Event::Copied(id, Ok(())));
    let minute = |effects: &[Effect]| match effects {
        [_, Effect::Work(Work::Later(timer @ Timer::Clipboard(_)))] => *timer,
        _ => panic!("a timer"),
    };
    assert!(model.update(Event::Elapsed(minute(&first))).is_empty());
    let cleared = model.update(Event::Elapsed(minute(&second)));
    assert!(matches!(
        cleared[..],
        [Effect::Work(Work::Clipboard(ClipboardWork::Clear(_)))]
    ));
    model.update(Action::Row(id, RowAction::CopyPointer));
    let closing = model.update(WindowAction::CloseRequested);
    assert!(matches!(
        closing[..],
        [Effect::Work(Work::Clipboard(ClipboardWork::Clear(_)))]
    ));
}
