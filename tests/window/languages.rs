//! The files of texts in `assets/l10n`: every language says everything, every id is used, and no view has words of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cloakroom::app::words::l10n::{self, Language};
use cloakroom::app::words::message;
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};

/// What is filled into each text, by id; attributes have ids of the form `id.attribute`.
type Texts = BTreeMap<String, BTreeSet<String>>;

fn texts(language: Language) -> Texts {
    let file = fluent_syntax::parser::parse(language.file())
        .unwrap_or_else(|(_, errors)| panic!("{language:?}: {errors:?}"));
    let mut texts = Texts::new();
    for entry in &file.body {
        let Entry::Message(message) = entry else {
            assert!(
                !matches!(entry, Entry::Term(_) | Entry::Junk { .. }),
                "{language:?}: {entry:?}"
            );
            continue;
        };
        let mut add = |id: String, pattern: &Pattern<&str>| {
            let mut filled = BTreeSet::new();
            gather(pattern, &mut filled);
            assert!(
                texts.insert(id.clone(), filled).is_none(),
                "{language:?}: {id} stands twice"
            );
        };
        if let Some(pattern) = &message.value {
            add(message.id.name.to_owned(), pattern);
        }
        for attribute in &message.attributes {
            add(
                format!("{}.{}", message.id.name, attribute.id.name),
                &attribute.value,
            );
        }
    }
    texts
}

fn gather(pattern: &Pattern<&str>, filled: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else {
            continue;
        };
        let inline = match expression {
            Expression::Inline(inline) => inline,
            Expression::Select { selector, variants } => {
                for variant in variants {
                    gather(&variant.value, filled);
                }
                selector
            }
        };
        if let InlineExpression::VariableReference { id } = inline {
            filled.insert(id.name.to_owned());
        }
    }
}

#[test]
fn every_language_says_everything_and_fills_in_the_same() {
    let english = texts(Language::English);
    for language in Language::OFFERED {
        let own = texts(language);
        let missing: Vec<_> = english.keys().filter(|id| !own.contains_key(*id)).collect();
        let unknown: Vec<_> = own.keys().filter(|id| !english.contains_key(*id)).collect();
        assert!(missing.is_empty(), "{language:?} lacks {missing:?}");
        assert!(
            unknown.is_empty(),
            "{language:?} has {unknown:?} for nothing"
        );
        for (id, filled) in &own {
            assert_eq!(filled, &english[id], "{language:?}: {id}");
        }
    }
}

#[test]
fn the_sentences_of_a_message_are_whole() {
    for language in Language::OFFERED {
        for id in texts(Language::English).keys() {
            let Some((id, part)) = id.split_once('.') else {
                continue;
            };
            assert!(["what", "why", "next"].contains(&part), "{id}.{part}");
        }
        l10n::speak_here(language);
        let ids: BTreeSet<String> = texts(language)
            .into_keys()
            .filter_map(|id| id.split_once('.').map(|(id, _)| id.to_owned()))
            .collect();
        for id in ids {
            let fill: Vec<l10n::Fill<'_>> = texts(Language::English)
                .into_iter()
                .filter(|(text, _)| text.starts_with(&format!("{id}.")))
                .flat_map(|(_, filled)| filled)
                .map(|name| match name.as_str() {
                    // There a part of a sentence, elsewhere a whole one.
                    "why" if id.starts_with("history_damaged") => ("why", "ä".into()),
                    "why" => ("why", "Ä.".into()),
                    // The remedy of a reason of the system.
                    "next" => ("next", "Ä.".into()),
                    "count" => ("count", 2.into()),
                    "missing" => ("missing", 2.into()),
                    "hours" => ("hours", 2.into()),
                    _ => (&*name.leak(), "ä".into()),
                })
                .collect();
            let message = message::message(&id, &fill);
            for text in [&message.what, &message.why, &message.next] {
                let end = text.chars().last();
                assert!(
                    matches!(end, Some('.' | '。')) && !text.ends_with(".."),
                    "{language:?}: {id}: {text}"
                );
                let first = text.chars().next();
                assert!(
                    first.is_some_and(|first| !first.is_ascii_lowercase()),
                    "{language:?}: {id}: {text}"
                );
            }
        }
    }
}

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
fn plurals_follow_the_rules_of_the_language() {
    for (language, one, several) in [
        (Language::English, "1 relay", "3 relays"),
        (Language::Longer, "1 relay", "3 relays"),
    ] {
        l10n::speak_here(language);
        let said = |count: usize| l10n::tell("relays", &[("count", count.into())]);
        assert!(said(1).starts_with(one) && said(3).starts_with(several));
    }
    for language in [Language::German, Language::French, Language::Spanish] {
        l10n::speak_here(language);
        let said = |count: usize| l10n::tell("size_bytes", &[("count", count.into())]);
        assert!(
            said(1).starts_with('1') && said(2).starts_with('2'),
            "{language:?}"
        );
    }
}

#[test]
fn the_longer_language_is_two_fifths_longer() {
    let letters = |language: Language| {
        l10n::speak_here(language);
        texts(Language::English)
            .into_iter()
            .filter(|(id, filled)| filled.is_empty() && !id.contains('.'))
            .map(|(id, _)| l10n::say(&id).chars().count())
            .sum::<usize>()
    };
    let (usual, longer) = (letters(Language::English), letters(Language::Longer));
    assert!(longer * 100 >= usual * 130, "{usual} {longer}");
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

/// The words of a text of Rust that could be ids.
fn words(text: &str) -> BTreeSet<&str> {
    text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
        .collect()
}

#[test]
fn no_text_is_there_for_nothing() {
    let sources = read_all("src");
    let mut used: BTreeSet<&str> = sources.iter().flat_map(|(_, text)| words(text)).collect();
    let abouts: Vec<String> = used.iter().map(|id| format!("{id}_about")).collect();
    used.extend(abouts.iter().map(String::as_str));
    let unused: Vec<String> = texts(Language::English)
        .into_keys()
        .filter(|id| !used.contains(id.split('.').next().unwrap_or(id)))
        .collect();
    assert!(unused.is_empty(), "{unused:?} are said nowhere");
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
