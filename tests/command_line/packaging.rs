//! The files in `packaging` and `assets` that packages are made of: one version number, and nothing named that is missing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const METAINFO: &str = include_str!("../../packaging/linux/org.cloakroom.Cloakroom.metainfo.xml");
const PLIST: &str = include_str!("../../packaging/macos/Info.plist");
const TYPE: &str = include_str!("../../packaging/linux/org.cloakroom.Cloakroom.xml");
const DESKTOP: &str = include_str!("../../packaging/linux/org.cloakroom.Cloakroom.desktop");

const INVITATION_TYPE: &str = "application/x-cloakroom-invitation";

/// Each text between `before` and `after`, in order.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    text.split(before)
        .skip(1)
        .filter_map(|rest| rest.split_once(after))
        .map(|(found, _)| found)
        .collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file under `folder`.
fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_under(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_bundle_for_macos_has_the_version_of_the_program() {
    for key in ["CFBundleShortVersionString", "CFBundleVersion"] {
        let value = between(PLIST, &format!("<key>{key}</key>"), "</string>");
        let value: Vec<_> = value
            .iter()
            .map(|v| v.trim().trim_start_matches("<string>"))
            .collect();
        assert_eq!(value, [VERSION], "{key}");
    }
}

/// Each file that the bundle's list of properties names is one that the script puts there.
#[test]
fn the_bundle_for_macos_has_the_program_and_the_icon_that_it_names() {
    let script = fs::read_to_string(root().join("packaging/macos/bundle")).unwrap();
    let named = |key: &str| {
        let value = between(PLIST, &format!("<key>{key}</key>"), "</string>").concat();
        value.trim().replace("<string>", "")
    };
    assert!(script.contains(&format!(
        "for program in {} cloak;",
        named("CFBundleExecutable")
    )));
    let icon = named("CFBundleIconFile");
    assert!(script.contains(&format!("Contents/Resources/{icon}\"")));
    assert!(root().join("assets/icons").join(icon).is_file());
}

#[test]
fn the_newest_release_of_the_metainfo_is_the_version_of_the_program() {
    let versions = between(METAINFO, "<release version=\"", "\"");
    assert_eq!(versions.first(), Some(&VERSION));
    let different: BTreeSet<_> = versions.iter().collect();
    assert_eq!(different.len(), versions.len(), "a version stands twice");
}

/// Scripts are told the version by whoever calls them, who reads Cargo.toml.
#[test]
fn no_other_file_for_packages_repeats_the_version() {
    let repeating: Vec<_> = files_under(&root().join("packaging"))
        .into_iter()
        .filter(|path| !path.ends_with("Info.plist"))
        .filter(|path| !path.ends_with("org.cloakroom.Cloakroom.metainfo.xml"))
        .filter(|path| String::from_utf8_lossy(&fs::read(path).unwrap()).contains(VERSION))
        .collect();
    assert!(repeating.is_empty(), "{repeating:?} repeat {VERSION}");
}

#[test]
fn the_screenshots_of_the_metainfo_exist() {
    let pictures = between(METAINFO, "/screenshots/", "</image>");
    assert!(!pictures.is_empty());
    for picture in pictures {
        let path = root().join("assets/screenshots").join(picture);
        assert!(path.is_file(), "{} is missing", path.display());
    }
}

/// Any other type would offer the program for opening files that it does nothing with.
#[test]
fn the_desktop_file_opens_links_and_invitations_and_no_other_type() {
    let types: Vec<_> = DESKTOP
        .lines()
        .filter_map(|line| line.strip_prefix("MimeType="))
        .collect();
    assert_eq!(
        types,
        [format!("x-scheme-handler/cloakroom;{INVITATION_TYPE};")]
    );
}

#[test]
fn every_package_with_a_window_registers_the_type_of_invitations() {
    assert_eq!(
        between(TYPE, "type=\"", "\""),
        [INVITATION_TYPE, "text/plain"]
    );
    assert_eq!(between(TYPE, "<glob pattern=\"", "\""), ["*.cloakroom"]);
    assert!(METAINFO.contains(&format!("<mediatype>{INVITATION_TYPE}</mediatype>")));
    assert!(PLIST.contains(&format!("<string>{INVITATION_TYPE}</string>")));
    for file in [
        "packaging/linux/appimage/build",
        "packaging/linux/flatpak/org.cloakroom.Cloakroom.yml",
        "packaging/linux/nfpm/cloakroom.yaml",
    ] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        assert!(text.contains("share/mime/packages"), "{file}");
    }
    for file in [
        "packaging/windows/setup/setup.nsi",
        "packaging/windows/msi/cloakroom.wxs",
    ] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        assert!(text.contains(INVITATION_TYPE), "{file}");
    }
}

#[test]
fn files_with_invitations_have_one_name_on_every_system() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let on_linux = [
        "",
        " xml:lang=\"de\"",
        " xml:lang=\"fr\"",
        " xml:lang=\"es\"",
        " xml:lang=\"zh_CN\"",
    ]
    .map(|language| between(TYPE, &format!("<comment{language}>"), "</comment>").concat());
    let on_macos = ["en", "de", "fr", "es", "zh-Hans"].map(|language| {
        let texts = read(&format!(
            "packaging/macos/texts/{language}.lproj/InfoPlist.strings"
        ));
        between(&texts, "= \"", "\";").concat()
    });
    let texts = read("packaging/windows/setup/texts.nsh");
    let on_windows = between(&texts, "Text INVITATION_NAME \\\n", "\n!").concat();
    // Linux begins such names with a small letter in French and Spanish.
    assert_eq!(
        on_macos.join("\n").to_lowercase(),
        on_linux.join("\n").to_lowercase()
    );
    assert_eq!(
        on_windows.trim(),
        on_macos.map(|text| format!("\"{text}\"")).join(" ")
    );
    let english = format!("Value=\"{}\"", on_linux[0]);
    assert!(read("packaging/windows/msi/cloakroom.wxs").contains(&english));
}

#[test]
fn entries_in_the_menus_of_file_managers_are_translated() {
    let menus = root().join("packaging/linux/menus");
    for menu in ["cloakroom.nemo_action", "dolphin.desktop"] {
        let text = fs::read_to_string(menus.join(menu)).unwrap();
        assert!(text.contains("\nName=Share with Cloakroom\n"), "{menu}");
        for language in ["de", "es", "fr", "zh_CN"] {
            let name = between(&text, &format!("\nName[{language}]="), "\n");
            assert_eq!(name.len(), 1, "{menu}: {language}");
        }
    }
}

/// The switch in the Settings shows what an installer wrote only if both write the same.
#[test]
fn installers_for_windows_register_links_as_the_window_does() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let arguments = read("src/gui/arguments.rs");
    let option = between(&arguments, "LINK_ARGUMENT: &str = \"", "\"");
    assert_eq!(option.len(), 1);
    let setup = format!(r#"'"$INSTDIR\cloakroom.exe" {} "%1"'"#, option[0]);
    assert!(read("packaging/windows/setup/setup.nsi").contains(&setup));
    let package = format!(
        "&quot;[INSTALLDIR]cloakroom.exe&quot; {} &quot;%1&quot;",
        option[0]
    );
    assert!(read("packaging/windows/msi/cloakroom.wxs").contains(&package));
}

#[test]
fn the_menu_of_files_says_the_same_on_windows_and_linux() {
    let texts = fs::read_to_string(root().join("packaging/windows/setup/texts.nsh")).unwrap();
    let menu = root().join("packaging/linux/menus/cloakroom.nemo_action");
    let menu = fs::read_to_string(menu).unwrap();
    let on_windows = between(&texts, "Text SHARE_WITH \\\n", "\n!");
    let on_linux = ["", "[de]", "[fr]", "[es]", "[zh_CN]"]
        .map(|language| between(&menu, &format!("\nName{language}="), "\n").concat());
    assert_eq!(
        on_windows.concat().trim(),
        on_linux.map(|text| format!("\"{text}\"")).join(" ")
    );
}

/// With one, Thunar does not show its entry.
#[test]
fn the_entry_for_thunar_names_no_type() {
    let menu = root().join("packaging/linux/menus/thunar.desktop");
    let text = fs::read_to_string(menu).unwrap();
    assert!(!text.lines().any(|line| line.starts_with("MimeType")));
}

#[test]
fn every_png_of_the_icon_has_the_size_in_its_name() {
    let icons = root().join("assets/icons");
    for size in [16_u32, 24, 32, 48, 64, 128, 256, 512] {
        let png = fs::read(icons.join(format!("cloakroom-{size}.png"))).unwrap();
        let width = u32::from_be_bytes(png[16..20].try_into().unwrap());
        let height = u32::from_be_bytes(png[20..24].try_into().unwrap());
        assert_eq!((width, height), (size, size));
    }
}

#[cfg(feature = "cli")]
mod manual {
    use std::fs;
    use std::process::{Command, Output};

    fn cloak(args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_cloak"))
            .args(args)
            .output()
            .unwrap()
    }

    #[test]
    fn completions_are_printed_for_every_shell_and_offer_no_hidden_command() {
        for shell in ["bash", "fish", "powershell", "zsh"] {
            let printed = cloak(&["completions", shell]);
            assert!(printed.status.success() && printed.stderr.is_empty());
            let script = String::from_utf8(printed.stdout).unwrap();
            for command in ["relay-list", "completions", "who-saw-what"] {
                assert!(script.contains(command), "{shell} misses {command}");
            }
            assert!(!script.contains("man pages"), "{shell} offers cloak man");
        }
    }

    #[test]
    fn completions_for_an_unknown_shell_are_wrong_usage() {
        assert_eq!(cloak(&["completions", "tcsh"]).status.code(), Some(2));
        assert_eq!(cloak(&["completions"]).status.code(), Some(2));
    }

    #[test]
    fn every_command_gets_a_man_page() {
        let work = tempfile::tempdir().unwrap();
        let folder = work.path().join("new").join("man1");
        let written = cloak(&["man", folder.to_str().unwrap()]);
        assert!(written.status.success() && written.stdout.is_empty());
        for command in [
            "cloak",
            "cloak-completions",
            "cloak-share",
            "cloak-relay-list-sign",
            "cloak-check-server",
        ] {
            let page = fs::read_to_string(folder.join(format!("{command}.1"))).unwrap();
            assert!(page.contains(".SH NAME"), "{command}");
            assert!(page.contains(env!("CARGO_PKG_VERSION")), "{command}");
        }
        assert!(!folder.join("cloak-man.1").exists());
    }

    #[test]
    fn a_folder_that_cannot_be_made_for_man_pages_is_named() {
        let work = tempfile::tempdir().unwrap();
        let file = work.path().join("a-file");
        fs::write(&file, "").unwrap();
        let failed = cloak(&["man", file.to_str().unwrap()]);
        assert_eq!(failed.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&failed.stderr).contains("a-file"));
    }
}
