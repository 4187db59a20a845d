//! `cloak remove-data`: what goes, what stays, and when nothing does.

use std::fs;

use super::person::{Person, expect};
use crate::support::said;

/// Names of the files and folders in the home of `person`.
fn names(person: &Person) -> Vec<String> {
    let entries = fs::read_dir(person.home()).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn all_that_commands_keep_goes_and_the_persons_own_file_stays() {
    let person = Person::new();
    let file = person.file("report.txt", b"report");
    person.share(&file, &[]);
    let settings = person.run(&["networks", "use", "built-in"]);
    assert!(settings.status.success(), "{}", said(&settings));
    let before = names(&person);
    for kept in ["builtin", "config.toml", "owned.json"] {
        assert!(before.iter().any(|name| name == kept), "{before:?}");
    }

    let unasked = person.run(&["remove-data"]);
    expect(&unasked, 2, "--yes");
    expect(&unasked, 2, "the built-in network");
    assert_eq!(names(&person), before);

    let removed = person.run(&["remove-data", "--yes"]);
    expect(&removed, 0, "stays");
    let printed = String::from_utf8(removed.stdout).unwrap();
    for kept in ["builtin", "config.toml", "owned.json"] {
        let path = person.path(kept);
        assert!(printed.lines().any(|line| path.as_os_str() == line));
    }
    assert_eq!(names(&person), ["report.txt"]);
    expect(&person.run(&["remove-data"]), 0, "nothing to remove");
}

#[test]
fn nothing_goes_while_the_built_in_network_runs() {
    let person = Person::new();
    let up = person.start(&["up"]);
    let before = names(&person);
    let refused = person.run(&["remove-data", "--yes"]);
    expect(&refused, 1, "cloak up");
    assert!(refused.stdout.is_empty());
    assert_eq!(names(&person), before);
    drop(up);
}
