//! Which languages there are, what their texts leave to others, and that no view has words of its own.

use std::fs;
use std::path::{Path, PathBuf};

use cloakroom::app::words::l10n::Language;

/// What helps is an action that the window and the command line each word in their own way.
#[test]
fn no_message_names_a_command_or_an_option_of_the_command_line() {
    // These are said where no window opens.
    let in_a_terminal = [
        "no_display",
        "no_renderer",
        "no_window",
        "no_window_library",
    ];
    for language in Language::OFFERED {
        let mut id = "";
        for line in language.file().lines() {
            if let Some((name, _)) = line.split_once(" =")
                && !line.starts_with([' ', '#'])
            {
                id = name;
            }
            let command = line.contains("cloak ") || line.contains('`') || line.contains("--");
            assert!(
                !command || line.starts_with('#') || in_a_terminal.contains(&id),
                "{language:?}: {id}: {line}"
            );
        }
    }
}

#[test]
fn a_system_names_its_language_in_many_ways() {
    for (tag, language) in [
        ("C", None),
        ("de", Some(Language::German)),
        ("de_AT.UTF-8", Some(Language::German)),
        ("en_US.UTF-8", Some(Language::English)),
        ("es-419", Some(Language::Spanish)),
        ("fr_CA@euro", Some(Language::French)),
        ("ja-JP", None),
        ("zh", Some(Language::SimplifiedChinese)),
        ("zh-Hans-CN", Some(Language::SimplifiedChinese)),
        ("zh-Hant", None),
        ("zh_TW.UTF-8", None),
        ("", None),
        ("-", None),
    ] {
        assert_eq!(Language::from_tag(tag), language, "{tag}");
    }
    for language in Language::OFFERED {
        assert_eq!(Language::from_tag(language.tag()), Some(language));
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn read_all(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
        &mut found,
    );
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect()
}

/// String literals of a file, without its comments and tests, each with what stands before it on its line.
fn literals(text: &str) -> Vec<(String, String)> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let mut literals = Vec::new();
    for line in code.lines() {
        let line = line.trim_start();
        if line.starts_with("//") {
            continue;
        }
        let parts: Vec<&str> = line.split('"').collect();
        for (at, literal) in parts.iter().enumerate().skip(1).step_by(2) {
            if at + 1 < parts.len() {
                literals.push((parts[at - 1].to_owned(), (*literal).to_owned()));
            }
        }
    }
    literals
}

#[test]
fn no_view_has_words_of_its_own() {
    // Names of licences and typefaces, which no language has words for.
    let names = [
        "Apache-2.0",
        "Inter",
        "JetBrains Mono",
        "Lucide",
        "MIT",
        "Noto Sans CJK",
    ];
    let mut found = Vec::new();
    for (path, text) in [read_all("src/gui/view"), read_all("src/gui/kit")].concat() {
        for (before, literal) in literals(&text) {
            let is_word = |word: &str| word.chars().filter(|c| c.is_alphabetic()).count() > 1;
            let cleaned: String = literal
                .split('{')
                .map(|part| part.split_once('}').map_or(part, |(_, rest)| rest))
                .collect();
            // Ids of widgets are written small; so are reasons of lints and of what cannot fail.
            let reason = ["reason = ", "expect(", "include_str!(", "include_bytes!("]
                .iter()
                .any(|call| before.trim_end().ends_with(call.trim_end()));
            let small = cleaned == cleaned.to_lowercase() && !cleaned.ends_with(['.', '?', '!']);
            let shown = ["label(ui, ", "selectable(ui, ", "Type::", "Button::new("]
                .iter()
                .any(|call| before.ends_with(call));
            let pointer = cleaned.starts_with("cloak1");
            if is_word(&cleaned)
                && !reason
                && !pointer
                && !names.contains(&literal.as_str())
                && (!small || shown)
            {
                found.push(format!("{}: {literal}", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
