//! The tables of texts against the file of every language.

use std::collections::{BTreeMap, BTreeSet};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};

use crate::app::words::l10n::{Language, speak_here};
use crate::app::words::message::message;
use crate::app::words::text_table::TextForm;
use crate::app::words::texts as shared;

/// Names of what is filled into each text, by id; attributes have ids of the form `id.attribute`.
type Texts<'a> = BTreeMap<String, BTreeSet<&'a str>>;

/// The texts of a language's file.
fn texts_of(language: Language) -> Texts<'static> {
    let file = fluent_syntax::parser::parse(language.file())
        .unwrap_or_else(|(_, errors)| panic!("{language:?}: {errors:?}"));
    let mut texts = Texts::new();
    let mut add = |id: String, pattern: &Pattern<&'static str>| {
        let mut filled = BTreeSet::new();
        gather(pattern, &mut filled);
        assert!(
            texts.insert(id.clone(), filled).is_none(),
            "{language:?}: {id} stands twice"
        );
    };
    for entry in &file.body {
        match entry {
            Entry::Message(message) => {
                let id = message.id.name;
                if let Some(pattern) = &message.value {
                    add(id.to_owned(), pattern);
                }
                for attribute in &message.attributes {
                    add(format!("{id}.{}", attribute.id.name), &attribute.value);
                }
            }
            Entry::Term(_) | Entry::Junk { .. } => panic!("{language:?}: {entry:?}"),
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => {}
        }
    }
    texts
}

fn gather<'a>(pattern: &Pattern<&'a str>, filled: &mut BTreeSet<&'a str>) {
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
            filled.insert(id.name);
        }
    }
}

#[test]
fn tables_and_languages_have_the_same_texts_with_the_same_arguments() {
    for language in Language::OFFERED {
        let mut texts = texts_of(language);
        let mut take = |id: String| {
            let filled = texts.remove(&id);
            filled.unwrap_or_else(|| panic!("{language:?} lacks {id}, or {id} is declared twice"))
        };
        for declared in shared::DECLARED.iter().chain(super::texts::DECLARED) {
            let id = declared.id;
            let filled: BTreeSet<&str> = match declared.form {
                TextForm::Line => take(id.to_owned()),
                TextForm::Message => ["what", "why", "next"]
                    .into_iter()
                    .flat_map(|part| take(format!("{id}.{part}")))
                    .collect(),
                TextForm::Pair => [id.to_owned(), format!("{id}_about")]
                    .into_iter()
                    .flat_map(&mut take)
                    .collect(),
            };
            let arguments: BTreeSet<&str> = declared.arguments.iter().copied().collect();
            assert_eq!(filled, arguments, "{language:?}: {id}");
        }
        let unknown: Vec<_> = texts.into_keys().collect();
        assert!(
            unknown.is_empty(),
            "{language:?} has {unknown:?}, which no table declares"
        );
    }
}

#[test]
fn every_language_fills_the_same_into_each_sentence() {
    let english = texts_of(Language::English);
    for language in Language::OFFERED {
        assert_eq!(texts_of(language), english, "{language:?}");
    }
}

#[test]
fn the_sentences_of_a_message_are_whole() {
    for language in Language::OFFERED {
        speak_here(language);
        let declared = shared::DECLARED.iter().chain(super::texts::DECLARED);
        for declared in declared.filter(|text| text.form == TextForm::Message) {
            let id = declared.id;
            let fill: Vec<_> = declared
                .arguments
                .iter()
                .map(|name| match *name {
                    // There a part of a sentence, elsewhere a whole one.
                    "why" if id.starts_with("history_damaged") => ("why", "ä".into()),
                    // `next` is the remedy of a reason of the system.
                    "why" | "next" => (*name, "Ä.".into()),
                    "count" | "hours" | "missing" => (*name, 2.into()),
                    _ => (*name, "ä".into()),
                })
                .collect();
            let message = message(id, &fill);
            for text in [&message.what, &message.why, &message.next] {
                assert!(
                    text.ends_with(['.', '。']) && !text.ends_with(".."),
                    "{language:?}: {id}: {text}"
                );
                assert!(
                    !text.starts_with(|first: char| first.is_ascii_lowercase()),
                    "{language:?}: {id}: {text}"
                );
            }
        }
    }
}

#[test]
fn plurals_follow_the_rules_of_the_language() {
    for (language, one, several) in [
        (Language::English, "1 relay", "3 relays"),
        (Language::French, "1 relais", "3 relais"),
        (Language::German, "1 Relay", "3 Relays"),
        (Language::SimplifiedChinese, "1 个中继", "3 个中继"),
        (Language::Spanish, "1 relé", "3 relés"),
    ] {
        speak_here(language);
        let said = [1, 3]
            .map(super::relays)
            .map(|text| text.replace('\u{a0}', " "));
        assert_eq!(said, [one, several], "{language:?}");
    }
}

#[test]
fn the_longer_language_is_two_fifths_longer() {
    let letters = |language: Language| {
        speak_here(language);
        [super::about_text(), super::receive_empty(), super::cancel()]
            .map(|text| text.chars().count())
    };
    let usual = letters(Language::English);
    for (usual, longer) in usual.into_iter().zip(letters(Language::Longer)) {
        assert!(longer * 100 >= usual * 130, "{usual} {longer}");
    }
}

#[test]
fn a_missing_library_is_named_and_nothing_else_is_taken_for_one() {
    for (error, library) in [
        (
            r#"LibraryOpenError(OpenError { kind: Library, detail: "libX11.so.6: cannot open shared object file" })"#,
            Some("libX11.so.6"),
        ),
        (
            "Library libxkbcommon-x11.so could not be loaded.",
            Some("libxkbcommon-x11.so"),
        ),
        (
            "WaylandError(Connection(NoWaylandLib))",
            Some("libwayland-client.so.0"),
        ),
        ("XNotSupported(XOpenDisplayFailed)", None),
        ("the liberty of some library", None),
    ] {
        assert_eq!(super::missing_library(error), library, "{error}");
        let told = super::no_window(error);
        assert_eq!(told.contains("Debian"), library.is_some(), "{told}");
    }
}
