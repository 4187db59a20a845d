//! `cloakroom:` links on Windows: which program a click on one opens stands in the person's own part of the registry.
//!
//! On Linux the package's desktop file says it, on macOS the bundle's list of properties.

use std::path::Path;

use windows_registry::{CURRENT_USER, Result};

use crate::gui::arguments::LINK_ARGUMENT;

const CLASS: &str = r"Software\Classes\cloakroom";
const COMMAND: &str = r"shell\open\command";

/// Whether a click on a `cloakroom:` link opens this program.
pub(crate) fn are_ours() -> bool {
    command().is_some_and(|ours| opens(CLASS).is_ok_and(|known| known == ours))
}

/// Has such links open this program, or no longer. False: the registry did not take it.
pub(crate) fn set(on: bool) -> bool {
    match command() {
        Some(command) if on => register(CLASS, &command).is_ok(),
        Some(_) if are_ours() => CURRENT_USER.remove_tree(CLASS).is_ok(),
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

fn opens(class: &str) -> Result<String> {
    CURRENT_USER
        .open(format!(r"{class}\{COMMAND}"))?
        .get_string("")
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
    #[expect(
        clippy::disallowed_methods,
        reason = "two runs at the same time are told apart"
    )]
    fn links_are_registered_with_the_whole_path_and_leave_nothing_behind() {
        let class = format!(r"Software\Classes\cloakroom-test-{}", std::process::id());
        let command = command_of(Path::new(r"C:\in here\cloakroom.exe")).expect("a path");
        assert_eq!(command, r#""C:\in here\cloakroom.exe" --link "%1""#);
        assert!(opens(&class).is_err());
        for _ in 0..2 {
            register(&class, &command).expect("registered");
            assert_eq!(opens(&class).expect("registered"), command);
        }
        let made = CURRENT_USER.open(&class).expect("a key");
        assert_eq!(made.get_string("URL Protocol").expect("a mark"), "");
        drop(made);
        CURRENT_USER.remove_tree(&class).expect("removed");
        assert!(CURRENT_USER.open(&class).is_err());
    }
}
