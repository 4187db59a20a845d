//! The words of people's languages: one [Fluent](https://projectfluent.org) file each in `assets/l10n`, looked up by id.
//!
//! English has every id; a word that another language lacks is said in English. Each thread has a language, which it may
//! share with others: the window's worker speaks as its window does, and two windows in one process as each was told.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, LazyLock};

use fluent_bundle::FluentValue;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use fluent_syntax::ast::Entry;
use unic_langid::LanguageIdentifier;

use super::harmless::harmless;
use super::units::group_digits;

/// A language that the program speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// The language that the others are translated from.
    English,
    /// Deutsch.
    German,
    /// Español.
    Spanish,
    /// Français.
    French,
    /// 简体中文.
    SimplifiedChinese,
    /// English with every text two fifths longer, for tests of what has room. Never offered.
    #[cfg(feature = "testing")]
    Longer,
}

impl Language {
    /// Those that are offered, in the order of their own names.
    pub const OFFERED: [Self; 5] = [
        Self::German,
        Self::English,
        Self::Spanish,
        Self::French,
        Self::SimplifiedChinese,
    ];

    /// Its name in itself.
    #[must_use]
    pub(crate) const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::French => "Français",
            Self::German => "Deutsch",
            #[cfg(feature = "testing")]
            Self::Longer => "English (longer)",
            Self::SimplifiedChinese => "简体中文",
            Self::Spanish => "Español",
        }
    }

    /// Its language tag (BCP 47), as settings keep it.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
            Self::German => "de",
            #[cfg(feature = "testing")]
            Self::Longer => "en-x-longer",
            Self::SimplifiedChinese => "zh-Hans",
            Self::Spanish => "es",
        }
    }

    /// Digits of the shortest whole number that it writes in groups of three.
    pub(super) const fn fewest_grouped_digits(self) -> usize {
        match self {
            Self::Spanish => 5,
            Self::English | Self::French | Self::German | Self::SimplifiedChinese => 4,
            #[cfg(feature = "testing")]
            Self::Longer => 4,
        }
    }

    /// The offered language of a tag such as `de_AT.UTF-8`, `zh-CN` or `fr`. Traditional Chinese is none of them.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        let tag = tag.split(['.', '@']).next()?;
        let tag: LanguageIdentifier = tag.parse().ok()?;
        let traditional = tag.script.is_some_and(|script| script == "Hant")
            || (tag.script.is_none()
                && tag
                    .region
                    .is_some_and(|region| ["TW", "HK", "MO"].contains(&region.as_str())));
        match tag.language.as_str() {
            "de" => Some(Self::German),
            "en" => Some(Self::English),
            "es" => Some(Self::Spanish),
            "fr" => Some(Self::French),
            "zh" if !traditional => Some(Self::SimplifiedChinese),
            _ => None,
        }
    }

    /// Its file of texts, in Fluent's syntax.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::English => include_str!("../../../assets/l10n/en.ftl"),
            #[cfg(feature = "testing")]
            Self::Longer => Self::English.file(),
            Self::French => include_str!("../../../assets/l10n/fr.ftl"),
            Self::German => include_str!("../../../assets/l10n/de.ftl"),
            Self::SimplifiedChinese => include_str!("../../../assets/l10n/zh-Hans.ftl"),
            Self::Spanish => include_str!("../../../assets/l10n/es.ftl"),
        }
    }

    fn words(self) -> &'static LanguageTexts {
        static ENGLISH: LazyLock<LanguageTexts> =
            LazyLock::new(|| LanguageTexts::read(Language::English));
        static FRENCH: LazyLock<LanguageTexts> =
            LazyLock::new(|| LanguageTexts::read(Language::French));
        static GERMAN: LazyLock<LanguageTexts> =
            LazyLock::new(|| LanguageTexts::read(Language::German));
        #[cfg(feature = "testing")]
        static LONGER: LazyLock<LanguageTexts> =
            LazyLock::new(|| LanguageTexts::read(Language::Longer));
        static CHINESE: LazyLock<LanguageTexts> =
            LazyLock::new(|| LanguageTexts::read(Language::SimplifiedChinese));
        static SPANISH: LazyLock<LanguageTexts> =
            LazyLock::new(|| LanguageTexts::read(Language::Spanish));
        match self {
            Self::English => &ENGLISH,
            Self::French => &FRENCH,
            Self::German => &GERMAN,
            #[cfg(feature = "testing")]
            Self::Longer => &LONGER,
            Self::SimplifiedChinese => &CHINESE,
            Self::Spanish => &SPANISH,
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::English => 0,
            Self::French => 1,
            Self::German => 2,
            Self::SimplifiedChinese => 3,
            Self::Spanish => 4,
            #[cfg(feature = "testing")]
            Self::Longer => 5,
        }
    }

    fn of_number(number: u8) -> Self {
        match number {
            1 => Self::French,
            2 => Self::German,
            3 => Self::SimplifiedChinese,
            4 => Self::Spanish,
            #[cfg(feature = "testing")]
            5 => Self::Longer,
            _ => Self::English,
        }
    }
}

thread_local! {
    static OF_THREAD: RefCell<Option<SharedLanguage>> = const { RefCell::new(None) };
}

/// A language that several threads speak; when it is changed, all of them follow.
#[derive(Clone, Debug)]
pub(crate) struct SharedLanguage(Arc<AtomicU8>);

impl SharedLanguage {
    /// A language that no thread speaks yet.
    #[must_use]
    pub(crate) fn new(language: Language) -> Self {
        Self(Arc::new(AtomicU8::new(language.number())))
    }

    /// Changes the language of every thread that speaks this one.
    pub(crate) fn set(&self, language: Language) {
        self.0.store(language.number(), Ordering::Relaxed);
    }

    /// Makes this the language of the calling thread.
    pub(crate) fn speak_here(&self) {
        OF_THREAD.set(Some(self.clone()));
    }

    fn now(&self) -> Language {
        Language::of_number(self.0.load(Ordering::Relaxed))
    }
}

/// The language of the calling thread: English unless the thread was given another.
#[must_use]
pub(crate) fn spoken() -> Language {
    OF_THREAD.with_borrow(|language| {
        language
            .as_ref()
            .map_or(Language::English, SharedLanguage::now)
    })
}

/// Sets the language of the calling thread alone.
pub(crate) fn speak_here(language: Language) {
    SharedLanguage::new(language).speak_here();
}

/// What `work` gives while this thread speaks `language`.
pub(crate) fn in_language<T>(language: Language, work: impl FnOnce() -> T) -> T {
    let before = OF_THREAD.replace(Some(SharedLanguage::new(language)));
    let done = work();
    OF_THREAD.set(before);
    done
}

/// A text that has nothing to fill in.
#[must_use]
pub(crate) fn say(id: &str) -> &'static str {
    let found = |language: Language| language.words().plain.get(id).map(String::as_str);
    let said = found(spoken()).or_else(|| found(Language::English));
    debug_assert!(said.is_some(), "there is no text {id}");
    said.unwrap_or_default()
}

/// What a text is filled in with, by name.
pub(crate) type Fill<'a> = (&'static str, FluentValue<'a>);

/// A text with what it is filled in with.
#[must_use]
pub(crate) fn tell(id: &str, fill: &[Fill<'_>]) -> String {
    let said = TextPlace { id, part: None }.fill(fill);
    debug_assert!(said.is_some(), "there is no text {id}");
    said.unwrap_or_default()
}

/// One sentence of a message: its attribute `part`, which is `what`, `why` or `next`, with values filled in.
#[must_use]
pub(crate) fn tell_part(id: &str, part: &'static str, fill: &[Fill<'_>]) -> String {
    let place = TextPlace {
        id,
        part: Some(part),
    };
    let said = place.fill(fill);
    debug_assert!(said.is_some(), "there is no text {id}.{part}");
    said.unwrap_or_default()
}

/// Values filled into a sentence may be a stranger's text: a name, a piece of a file, the words of a parser over it.
fn without_deceit<'a>(value: &'a FluentValue<'_>) -> FluentValue<'a> {
    match value {
        FluentValue::String(text) => FluentValue::String(harmless(text)),
        other => other.clone(),
    }
}

/// Where a text stands in a file.
#[derive(Clone, Copy)]
struct TextPlace<'a> {
    id: &'a str,
    part: Option<&'static str>,
}

impl TextPlace<'_> {
    fn fill(self, fill: &[Fill<'_>]) -> Option<String> {
        let args: FluentArgs<'_> = fill
            .iter()
            .map(|(name, value)| (*name, without_deceit(value)))
            .collect();
        self.find(spoken(), &args)
            .or_else(|| self.find(Language::English, &args))
    }

    fn find(self, language: Language, args: &FluentArgs<'_>) -> Option<String> {
        let bundle = &language.words().bundle;
        let message = bundle.get_message(self.id)?;
        let pattern = match self.part {
            Some(part) => message.get_attribute(part)?.value(),
            None => message.value()?,
        };
        let mut errors = Vec::new();
        let said = bundle.format_pattern(pattern, Some(args), &mut errors);
        debug_assert!(errors.is_empty(), "{}: {errors:?}", self.id);
        Some(said.into_owned())
    }
}

/// One language, read.
struct LanguageTexts {
    bundle: FluentBundle<FluentResource>,
    /// Texts that have nothing to fill in.
    plain: HashMap<String, String>,
}

impl LanguageTexts {
    fn read(language: Language) -> Self {
        // A part of a file that cannot be read is left out and said in English; tests read each file whole.
        let resource = FluentResource::try_new(language.file().to_owned())
            .unwrap_or_else(|(resource, _errors)| resource);
        let ids: Vec<String> = resource.entries().filter_map(plain_id).collect();
        let tag = match language {
            #[cfg(feature = "testing")]
            Language::Longer => Language::English.tag(),
            spoken => spoken.tag(),
        };
        let tag = tag.parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![tag]);
        // All of them are written from left to right; the marks would be boxes in fonts without them.
        bundle.set_use_isolating(false);
        bundle.set_formatter(Some(in_groups));
        #[cfg(feature = "testing")]
        if language == Language::Longer {
            bundle.set_transform(Some(longer));
        }
        bundle.add_resource_overriding(resource);
        let plain = ids
            .into_iter()
            .filter_map(|id| {
                let pattern = bundle.get_message(&id)?.value()?;
                let mut errors = Vec::new();
                let said = bundle.format_pattern(pattern, None, &mut errors);
                let said = errors.is_empty().then(|| said.into_owned())?;
                Some((id, said))
            })
            .collect();
        Self { bundle, plain }
    }
}

/// Writes a whole number that is filled into a text in groups of digits.
fn in_groups<M>(value: &FluentValue<'_>, _memoizer: &M) -> Option<String> {
    match value {
        FluentValue::Number(number) => Some(group_digits(&number.as_string())),
        _ => None,
    }
}

fn plain_id(entry: &Entry<&str>) -> Option<String> {
    match entry {
        Entry::Message(message) => Some(message.id.name.to_owned()),
        _ => None,
    }
}

/// Two fifths longer, with the letters that it has.
#[cfg(feature = "testing")]
fn longer(text: &str) -> std::borrow::Cow<'_, str> {
    let letters = text.chars().filter(|letter| letter.is_alphabetic()).count();
    let mut more = String::from(text);
    let at = text.trim_end_matches([' ', '.', ':', '…', ',', '?']).len();
    let tail = more.split_off(at);
    for step in 0..(letters * 2).div_ceil(5) {
        more.push(if step % 6 == 5 { ' ' } else { 'ö' });
    }
    more.push_str(&tail);
    more.into()
}
