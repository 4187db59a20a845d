//! The arguments of the desktop application.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::Renderer;
use lexopt::{Arg, Parser, ValueExt as _};
use zeroize::Zeroizing;

use super::model::PointerText;
use super::platform::uri_list::UriList;
use super::text;
use crate::app::process::instance::StartArguments;
use crate::app::settings::Display;
use crate::app::transfer::known_file;
use crate::protocol::bech32m::URI_START;
use crate::protocol::invitation::Invitation;
use crate::protocol::pointer;

/// Option that the registry entry for `cloakroom:` links on Windows puts before the clicked link.
pub(super) const LINK_ARGUMENT: &str = "--link";

/// [`LINK_ARGUMENT`] without its dashes.
const LINK_OPTION: &str = LINK_ARGUMENT.split_at(2).1;

const USAGE: &str = "\
usage: cloakroom [--renderer wgpu|glow] [--display auto|x11|wayland] [FILE… | POINTER]

Files and folders are shared. A pointer or an invitation only fills Receive, and so does a file NAME.cloakroom that holds
an invitation. The command line without a window is `cloak`.";

/// What the arguments ask for.
#[derive(Default)]
pub(super) struct Wish {
    pub(super) renderer: Option<Renderer>,
    pub(super) display: Option<Display>,
    pub(super) files: Vec<PathBuf>,
    /// Text for the field on Receive: a pointer or an invitation.
    pub(super) pointer: Option<PointerText>,
}

/// What the system opens with the program that runs, as macOS does.
#[cfg(any(target_os = "macos", test))]
pub(super) enum OpenedBySystem {
    Files(Vec<PathBuf>),
    Link(String),
}

/// What the arguments need to know of the files that they name.
pub(super) trait NamedFiles {
    /// Whether there is a file or folder of this name.
    fn exists(&self, path: &Path) -> bool;

    /// The text of a file that holds an invitation; none for every other file.
    fn invitation(&self, path: &Path) -> Option<PointerText>;
}

/// The files of this computer.
pub(super) struct Disk;

impl NamedFiles for Disk {
    fn exists(&self, path: &Path) -> bool {
        known_file::is_there(path)
    }

    fn invitation(&self, path: &Path) -> Option<PointerText> {
        known_file::read_invitation(path).map(|text| PointerText::of(Arc::new(text)))
    }
}

/// Outcome of parsing the arguments.
pub(super) enum Parsed {
    Window(Wish),
    Say(String),
    Wrong(String),
}

/// Reads the arguments. Blocking where they name a file that could hold an invitation.
pub(super) fn parse(args: impl IntoIterator<Item = OsString>, files: &impl NamedFiles) -> Parsed {
    read(Parser::from_args(args), files).unwrap_or_else(|error| Parsed::Wrong(refusal(&error)))
}

fn read(mut args: Parser, files: &impl NamedFiles) -> Result<Parsed, lexopt::Error> {
    let mut wish = Wish::default();
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Value(word) => wish.add(word, files),
            Arg::Long(LINK_OPTION) => {
                if let Some(link) = args.value().ok().and_then(|link| link.into_string().ok()) {
                    wish.set_link(link);
                }
                // Who wrote the link can have put quotes into it: nothing behind it is what this person wants.
                break;
            }
            Arg::Long("help") | Arg::Short('h') => return Ok(Parsed::Say(USAGE.to_owned())),
            Arg::Long("version") | Arg::Short('V') => return Ok(Parsed::Say(text::version())),
            Arg::Long("renderer") => {
                wish.renderer = Some(args.value()?.parse_with(|name| match name {
                    "wgpu" => Ok(Renderer::Wgpu),
                    "glow" => Ok(Renderer::Glow),
                    _ => Err("there is none of this name"),
                })?);
            }
            Arg::Long("display") => {
                wish.display = Some(args.value()?.parse_with(|name| match name {
                    "auto" => Ok(Display::Auto),
                    "x11" => Ok(Display::X11),
                    "wayland" => Ok(Display::Wayland),
                    _ => Err("there is none of this name"),
                })?);
            }
            Arg::Long(_) | Arg::Short(_) => return Err(arg.unexpected()),
        }
    }
    Ok(Parsed::Window(wish))
}

/// What a later start would bring that has this for its arguments. Blocking as [`parse`].
#[cfg(any(target_os = "macos", test))]
pub(super) fn of_opened(opened: OpenedBySystem, files: &impl NamedFiles) -> StartArguments {
    let mut wish = Wish::default();
    match opened {
        OpenedBySystem::Files(paths) => {
            for path in paths {
                wish.add_file(path, files);
            }
        }
        OpenedBySystem::Link(link) => wish.set_link(link),
    }
    wish.to_start_arguments()
}

impl Wish {
    /// What a later start of these arguments hands to the window that is open.
    pub(super) fn to_start_arguments(&self) -> StartArguments {
        let pointer = self.pointer.as_ref();
        StartArguments {
            files: self.files.clone(),
            pointer: pointer.map(|text| Zeroizing::new(text.as_str().to_owned())),
        }
    }

    /// Sets the text of a clicked link; what is no link of ours is dropped.
    fn set_link(&mut self, link: String) {
        self.pointer = is_link(&link).then(|| PointerText::new(link));
    }

    /// Adds a word that is no option: a pointer, an invitation, the address of a file, or a file.
    fn add(&mut self, word: OsString, files: &impl NamedFiles) {
        let text = word.to_string_lossy();
        let begins = pointer::begins(&text) || Invitation::may_be(&text);
        // A link is never a file, whatever is called like it; what it holds, Receive finds out.
        if is_link(&text) || begins && !files.exists(Path::new(&word)) {
            self.pointer = Some(PointerText::new(text.into_owned()));
        } else if text.starts_with("file://") {
            let list = UriList::from_text(&text);
            for path in list.into_iter().flat_map(|list| list.files) {
                self.add_file(path, files);
            }
        } else {
            let path = PathBuf::from(word);
            self.add_file(std::path::absolute(&path).unwrap_or(path), files);
        }
    }

    /// Adds a file to share, or the text of one that holds an invitation.
    fn add_file(&mut self, path: PathBuf, files: &impl NamedFiles) {
        match files.invitation(&path) {
            Some(text) => self.pointer = Some(text),
            None => self.files.push(path),
        }
    }
}

fn refusal(error: &lexopt::Error) -> String {
    match error {
        lexopt::Error::UnexpectedOption(name) => {
            format!("cloakroom: there is no option {name}\n{USAGE}")
        }
        _ => USAGE.to_owned(),
    }
}

/// Whether `word` is a `cloakroom:` link, as a desktop or a browser passes it.
fn is_link(word: &str) -> bool {
    let start = word.trim_start().get(..URI_START.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(URI_START))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files that exist, by their names, and what stands in those that hold an invitation.
    struct Files(&'static [(&'static str, Option<&'static str>)]);

    impl NamedFiles for Files {
        fn exists(&self, path: &Path) -> bool {
            let name = path.file_name();
            self.0.iter().any(|(known, _)| name == Some(known.as_ref()))
        }

        fn invitation(&self, path: &Path) -> Option<PointerText> {
            let name = path.file_name();
            let known = self
                .0
                .iter()
                .find(|(known, _)| name == Some(known.as_ref()));
            known.and_then(|(_, text)| text.map(PointerText::from))
        }
    }

    const INVITATION: &str = "Come in:\ncloakin1xyz\n";

    fn parsed(args: &[&str]) -> Parsed {
        let files = Files(&[
            ("cloak1.txt", None),
            ("cloakin1.txt", None),
            ("a b.pdf", None),
            ("friends.cloakroom", Some(INVITATION)),
            ("pointer.cloakroom", None),
        ]);
        parse(args.iter().map(OsString::from), &files)
    }

    fn wish(args: &[&str]) -> Wish {
        match parsed(args) {
            Parsed::Window(wish) => wish,
            Parsed::Say(words) | Parsed::Wrong(words) => panic!("{words}"),
        }
    }

    #[test]
    fn arguments_are_files_or_one_pointer() {
        let wish = wish(&["/tmp/a.pdf", "cloakroom:CLOAK1XYZ", "cloak1.txt"]);
        assert_eq!(wish.files.len(), 2);
        assert_eq!(wish.files[0], std::path::absolute("/tmp/a.pdf").unwrap());
        assert!(
            wish.files[1].ends_with("cloak1.txt"),
            "a file of that name is a file"
        );
        assert_eq!(
            wish.pointer.as_ref().map(PointerText::as_str),
            Some("cloakroom:CLOAK1XYZ")
        );
    }

    #[test]
    fn a_link_fills_receive_and_file_addresses_are_files() {
        let path = std::path::absolute("/tmp/a b.pdf").unwrap();
        let url = url::Url::from_file_path(&path).unwrap();
        let wish = wish(&["Cloakroom:cloak1xyz", url.as_str()]);
        assert_eq!(
            wish.pointer.as_ref().map(PointerText::as_str),
            Some("Cloakroom:cloak1xyz")
        );
        assert_eq!(wish.files, [path]);
    }

    #[test]
    fn a_link_that_holds_no_pointer_is_no_file_either() {
        let link = "cloakroom:cloakin1xyz";
        let wish = wish(&[link]);
        assert!(wish.files.is_empty());
        assert_eq!(wish.pointer.as_ref().map(PointerText::as_str), Some(link));
    }

    #[test]
    fn an_invitation_fills_receive_unless_it_is_the_name_of_a_file() {
        let word = "CLOAKIN1XYZ";
        let typed = wish(&[word]);
        assert!(typed.files.is_empty());
        assert_eq!(typed.pointer.as_ref().map(PointerText::as_str), Some(word));
        let named = wish(&["cloakin1.txt"]);
        assert!(named.pointer.is_none() && named.files.len() == 1);
    }

    #[test]
    fn what_the_system_opens_means_what_the_same_arguments_do() {
        let files = Files(&[("friends.cloakroom", Some(INVITATION)), ("a.pdf", None)]);
        let opened = |opened| {
            let StartArguments { files, pointer } = of_opened(opened, &files);
            (files, pointer.map(|text| text.to_string()))
        };
        let [invitation, other] = ["/tmp/friends.cloakroom", "/tmp/a.pdf"].map(PathBuf::from);
        assert_eq!(
            opened(OpenedBySystem::Files(vec![invitation, other.clone()])),
            (vec![other], Some(INVITATION.to_owned()))
        );
        let link = "cloakroom:cloak1xyz".to_owned();
        assert_eq!(
            opened(OpenedBySystem::Link(link.clone())),
            (Vec::new(), Some(link))
        );
        for foreign in ["file:///tmp/a.pdf", "https://example.com", ""] {
            assert_eq!(
                opened(OpenedBySystem::Link(foreign.to_owned())),
                (Vec::new(), None)
            );
        }
    }

    #[test]
    fn a_file_that_holds_an_invitation_fills_receive_and_is_not_shared() {
        let path = std::path::absolute("/tmp/friends.cloakroom").unwrap();
        let url = url::Url::from_file_path(&path).unwrap();
        for opened in [path.to_str().unwrap(), url.as_str(), "friends.cloakroom"] {
            let wish = wish(&[opened]);
            assert!(wish.files.is_empty(), "{opened}");
            assert_eq!(
                wish.pointer.as_ref().map(PointerText::as_str),
                Some(INVITATION)
            );
        }
        let both = wish(&["/tmp/a b.pdf", "/tmp/friends.cloakroom"]);
        assert_eq!(both.files.len(), 1);
        assert!(both.pointer.is_some());
    }

    #[test]
    fn a_file_of_an_invitations_name_without_one_is_shared_as_any_other() {
        for name in ["/tmp/pointer.cloakroom", "/tmp/nowhere.cloakroom"] {
            let wish = wish(&[name]);
            assert_eq!(wish.files, [std::path::absolute(name).unwrap()]);
            assert!(wish.pointer.is_none());
        }
    }

    #[test]
    fn a_clicked_link_brings_one_pointer_and_never_a_file() {
        let wanted = |args: &[&str]| {
            let wish = wish(args);
            assert!(wish.files.is_empty() && wish.renderer.is_none());
            wish.pointer.map(|text| text.as_str().to_owned())
        };
        let link = "cloakroom:cloak1x";
        assert_eq!(wanted(&["--link", link]).as_deref(), Some(link));
        let injected = ["--link", link, "/tmp/secret.txt", "--renderer", "glow"];
        assert_eq!(wanted(&injected).as_deref(), Some(link));
        assert_eq!(wanted(&["--link", "/tmp/secret.txt"]), None);
        assert_eq!(wanted(&["--link", "/tmp/friends.cloakroom"]), None);
        assert_eq!(wanted(&["--link"]), None);
    }

    #[test]
    fn renderer_and_display_are_chosen_by_word() {
        let chosen = wish(&["--renderer", "glow", "--display=wayland"]);
        assert_eq!(
            (chosen.renderer, chosen.display),
            (Some(Renderer::Glow), Some(Display::Wayland))
        );
        for wrong in [
            &["--renderer", "vulkan"][..],
            &["--renderer"],
            &["--display=mir"],
            &["--frobnicate"],
        ] {
            assert!(matches!(parsed(wrong), Parsed::Wrong(_)), "{wrong:?}");
        }
        let Parsed::Wrong(words) = parsed(&["--frobnicate=1", "/tmp/a"]) else {
            panic!("an option that does not exist was taken");
        };
        assert!(words.starts_with("cloakroom: there is no option --frobnicate\nusage: "));
        assert!(matches!(parsed(&["--help"]), Parsed::Say(_)));
        assert!(matches!(parsed(&["-V", "--frobnicate"]), Parsed::Say(_)));
    }

    #[test]
    fn what_stands_behind_two_dashes_is_no_option() {
        let wish = wish(&["--", "--help", "-x"]);
        let names: Vec<_> = wish
            .files
            .iter()
            .filter_map(|path| path.file_name())
            .collect();
        assert_eq!(names, ["--help", "-x"]);
    }
}
