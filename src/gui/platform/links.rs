//! `cloakroom:` links on Windows: which program a click on one opens stands in the person's own part of the registry, where
//! the setup program writes it too, else in the part for everybody, where the package for administrators does.
//!
//! On Linux the package's desktop file says it, on macOS the bundle's list of properties.

use std::path::Path;

use windows_registry::{CURRENT_USER, Key, LOCAL_MACHINE, Result};

use crate::gui::arguments::LINK_ARGUMENT;

const CLASS: &str = r"Software\Classes\cloakroom";
const COMMAND: &str = r"shell\open\command";

/// Whether a click on a `cloakroom:` link opens this program; none when whoever administers the computer has decided so
/// for everybody, which this person cannot undo.
pub(crate) fn are_ours() -> Option<bool> {
    let ours = command();
    decide(
        opens(CURRENT_USER, CLASS).ok().as_deref(),
        opens(LOCAL_MACHINE, CLASS).ok().as_deref(),
        ours.as_deref(),
    )
}

/// [`are_ours`], of the commands that the registry has for the person and for everybody. The person's goes before.
fn decide(person: Option<&str>, everybody: Option<&str>, ours: Option<&str>) -> Option<bool> {
    match (person, everybody) {
        (Some(command), _) => Some(Some(command) == ours),
        (None, Some(command)) if Some(command) == ours => None,
        (None, _) => Some(false),
    }
}

/// Has such links open this program, or no longer. False: the registry did not take it.
pub(crate) fn set(on: bool) -> bool {
    match command() {
        Some(command) if on => register(CLASS, &command).is_ok(),
        Some(_) if are_ours() == Some(true) => CURRENT_USER.remove_tree(CLASS).is_ok(),
        Some(_) => true,
        None => false,
    }
}

/// What the registry should say; none when the program does not know where it is.
#[expect(
    clippy::disallowed_methods,
    reason = "here the window meets the system's registry"
)]
fn command() -> Option<String> {
    std::env::current_exe()
        .ok()
        .and_then(|program| command_of(&program))
}

fn command_of(program: &Path) -> Option<String> {
    Some(format!(r#""{}" {LINK_ARGUMENT} "%1""#, program.to_str()?))
}

fn opens(part: &Key, class: &str) -> Result<String> {
    part.open(format!(r"{class}\{COMMAND}"))?.get_string("")
}

fn register(class: &str, command: &str) -> Result<()> {
    let class = CURRENT_USER.create(class)?;
    class.set_string("", "URL:Cloakroom")?;
    class.set_string("URL Protocol", "")?;
    class.create(COMMAND)?.set_string("", command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_the_person_goes_before_the_one_for_everybody() {
        let (ours, other) = (Some("ours"), Some("other"));
        assert_eq!(decide(None, None, ours), Some(false));
        assert_eq!(decide(ours, None, ours), Some(true));
        assert_eq!(decide(other, None, ours), Some(false));
        assert_eq!(decide(ours, other, ours), Some(true));
        assert_eq!(decide(other, ours, ours), Some(false));
        assert_eq!(decide(None, other, ours), Some(false));
    }

    #[test]
    fn the_switch_is_hidden_where_an_administrator_has_decided() {
        assert_eq!(decide(None, Some("ours"), Some("ours")), None);
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "two runs at the same time are told apart"
    )]
    fn links_are_registered_with_the_whole_path_and_leave_nothing_behind() {
        let class = format!(r"Software\Classes\cloakroom-test-{}", std::process::id());
        let command = command_of(Path::new(r"C:\in here\cloakroom.exe")).expect("a path");
        assert_eq!(command, r#""C:\in here\cloakroom.exe" --link "%1""#);
        assert!(opens(CURRENT_USER, &class).is_err());
        for _ in 0..2 {
            register(&class, &command).expect("registered");
            assert_eq!(opens(CURRENT_USER, &class).expect("registered"), command);
        }
        let made = CURRENT_USER.open(&class).expect("a key");
        assert_eq!(made.get_string("URL Protocol").expect("a mark"), "");
        drop(made);
        CURRENT_USER.remove_tree(&class).expect("removed");
        assert!(CURRENT_USER.open(&class).is_err());
    }
}
