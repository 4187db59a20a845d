//! One table of settings for each program; the keys of its file, its flags, its environment variables and the commented
//! sample are derived from it.
//!
//! A file names a key that the table does not have: that is an error with its line and, when one is near, the key that
//! was meant. Where values come from and which of them wins is for the command line to say.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use toml::de::{DeTable, DeValue};

use crate::protocol::text;

/// What a program can be told; its default is what it does untold.
pub trait Settings: Default + 'static {
    /// What stands at the head of the sample, one line an entry.
    const HEAD: &'static [&'static str];

    /// Every setting, in the order of the sample.
    fn table() -> &'static [Setting<Self>];
}

/// One setting.
pub struct Setting<S> {
    /// Its name in the file.
    pub key: &'static str,
    /// Its name on the command line, without the dashes.
    pub flag: &'static str,
    /// Its name in the environment.
    pub variable: &'static str,
    /// What stands for its value in a help text.
    pub value: &'static str,
    /// What a value looks like.
    pub shape: Shape,
    /// What it does, in a sentence or two without the last full stop.
    pub help: &'static str,
    /// What the sample shows.
    pub sample: Sample,
    /// Takes a value.
    pub set: fn(&mut S, &Given<'_>) -> Result<(), String>,
}

impl<S> Setting<S> {
    /// A setting; `names` are those in the file, on the command line and in the environment.
    #[must_use]
    pub const fn new(
        names: [&'static str; 3],
        value: &'static str,
        shape: Shape,
        sample: Sample,
        help: &'static str,
        set: fn(&mut S, &Given<'_>) -> Result<(), String>,
    ) -> Self {
        let [key, flag, variable] = names;
        Self {
            key,
            flag,
            variable,
            value,
            shape,
            help,
            sample,
            set,
        }
    }
}

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Several texts: an array in the file, commas elsewhere.
    List,
    /// true or false; as a flag, alone means true.
    Switch,
    /// One text or number.
    Text,
}

/// What the sample shows for a setting, as it stands in a file after the `=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// The default.
    Default(&'static str),
    /// There is no default, or none that can be written: an example, commented out.
    Example(&'static str),
}

/// A value as it was given, not understood yet.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    texts: &'a [String],
    folder: &'a Path,
}

impl<'a> Given<'a> {
    /// A value; relative paths in it begin at `folder`.
    #[must_use]
    pub const fn new(texts: &'a [String], folder: &'a Path) -> Self {
        Self { texts, folder }
    }

    /// Where relative paths begin.
    #[must_use]
    pub const fn folder(&self) -> &'a Path {
        self.folder
    }

    /// The one text.
    ///
    /// # Errors
    /// When there are several, or none.
    pub fn text(&self) -> Result<&'a str, String> {
        match self.texts {
            [text] => Ok(text),
            _ => Err("one value is wanted here".to_owned()),
        }
    }

    /// All texts, trimmed; none of them empty.
    ///
    /// # Errors
    /// When one is empty.
    pub fn texts(&self) -> Result<Vec<&'a str>, String> {
        let texts: Vec<_> = self.texts.iter().map(|text| text.trim()).collect();
        if texts.iter().any(|text| text.is_empty()) {
            return Err("one of the values is empty".to_owned());
        }
        Ok(texts)
    }

    /// The one text, read as what it stands for.
    ///
    /// # Errors
    /// `wanted` says what it should have been.
    pub fn read<T: FromStr>(&self, wanted: &str) -> Result<T, String> {
        let text = self.text()?;
        text.trim()
            .parse()
            .map_err(|_why| format!("{text:?} is not {wanted}"))
    }

    /// The path.
    ///
    /// # Errors
    /// When it is empty.
    pub fn path(&self) -> Result<PathBuf, String> {
        self.paths()?
            .pop()
            .filter(|_only| self.texts.len() == 1)
            .ok_or_else(|| "one path is wanted here".to_owned())
    }

    /// The paths.
    ///
    /// # Errors
    /// When one is empty.
    pub fn paths(&self) -> Result<Vec<PathBuf>, String> {
        let paths = self.texts()?.into_iter();
        Ok(paths.map(|path| self.folder.join(path)).collect())
    }

    /// true or false.
    ///
    /// # Errors
    /// When it is neither.
    pub fn switch(&self) -> Result<bool, String> {
        match self.text()?.trim() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            other => Err(format!("{other:?} is neither true nor false")),
        }
    }

    /// A number of bytes: `10223616`, `512 MiB`, `10GB`.
    ///
    /// # Errors
    /// When it is none.
    pub fn bytes(&self) -> Result<u64, String> {
        with_unit(self.text()?, BYTE_UNITS, 1)
            .ok_or_else(|| format!("{:?} is not a size such as 512 MiB", self.texts[0]))
    }

    /// A time in seconds: `14d`, `12 h`, `90 s`. A number alone is refused: of what would not be clear.
    ///
    /// # Errors
    /// When it is none.
    pub fn seconds(&self) -> Result<u64, String> {
        with_unit(self.text()?, TIME_UNITS, 0)
            .filter(|&seconds| seconds > 0)
            .ok_or_else(|| format!("{:?} is not a time such as 14d or 12h", self.texts[0]))
    }
}

/// Takes one value for the setting `key`, given at `place`: a flag, a variable, a line of a file.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn set<S: Settings>(
    settings: &mut S,
    setting: &Setting<S>,
    place: &str,
    given: &Given<'_>,
) -> Result<(), SettingsError> {
    (setting.set)(settings, given).map_err(|reason| SettingsError::Value {
        place: place.to_owned(),
        reason,
    })
}

/// Reads the settings in the file at `path`; relative paths in it begin at its folder. Blocking, small.
///
/// # Errors
/// [`SettingsError`].
pub fn read<S: Settings>(settings: &mut S, path: &Path) -> Result<(), SettingsError> {
    let unreadable = |cause| SettingsError::Read {
        path: path.to_owned(),
        cause,
    };
    let bytes = fs::read(path).map_err(unreadable)?;
    let text = text::decode(&bytes)
        .map_err(|error| unreadable(io::Error::new(io::ErrorKind::InvalidData, error)))?;
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    read_text(settings, &text, folder, &path.display().to_string())
}

/// Reads the settings in `text`, which stands in the file called `name` in `folder`.
///
/// # Errors
/// [`SettingsError`].
pub fn read_text<S: Settings>(
    settings: &mut S,
    text: &str,
    folder: &Path,
    name: &str,
) -> Result<(), SettingsError> {
    let line_at = |at: usize| {
        let before = text.get(..at).unwrap_or(text);
        before.matches('\n').count() + 1
    };
    let place = |at| format!("{name}, line {}", line_at(at));
    let table = DeTable::parse(text).map_err(|error| SettingsError::Syntax {
        place: error
            .span()
            .map_or_else(|| name.to_owned(), |span| place(span.start)),
        reason: error.message().to_owned(),
    })?;
    for (key, value) in table.get_ref() {
        let name_of_key = key.get_ref().as_ref();
        let setting = S::table().iter().find(|setting| setting.key == name_of_key);
        let setting = setting.ok_or_else(|| SettingsError::Unknown {
            place: place(key.span().start),
            key: name_of_key.to_owned(),
            hint: hint::<S>(name_of_key, value.get_ref()),
        })?;
        let at = format!("{}: {name_of_key}", place(key.span().start));
        let texts =
            texts(value.get_ref(), setting.shape).map_err(|reason| SettingsError::Value {
                place: at.clone(),
                reason,
            })?;
        set(settings, setting, &at, &Given::new(&texts, folder))?;
    }
    Ok(())
}

/// A file with every setting, what it does, and its default.
#[must_use]
pub fn sample<S: Settings>() -> String {
    let mut text = String::new();
    for line in S::HEAD {
        text.push_str(format!("# {line}").trim_end());
        text.push('\n');
    }
    for Setting {
        key,
        flag,
        variable,
        help,
        sample,
        ..
    } in S::table()
    {
        text.push('\n');
        for line in wrapped(help) {
            text.push_str(&format!("# {line}\n"));
        }
        text.push_str(&format!("# (--{flag}, {variable})\n"));
        let (mark, value) = match sample {
            Sample::Default(value) => ("", value),
            Sample::Example(value) => ("#", value),
        };
        // Writing to a text cannot fail.
        writeln!(text, "{mark}{key} = {value}").ok();
    }
    text
}

/// The name of a log level, in small letters.
///
/// # Errors
/// When it is none.
pub fn log_level(text: &str) -> Result<String, String> {
    let level = text.trim().to_ascii_lowercase();
    if ["off", "error", "warn", "info", "debug", "trace"].contains(&level.as_str()) {
        Ok(level)
    } else {
        Err(format!(
            "{text:?} is none of off, error, warn, info, debug and trace"
        ))
    }
}

/// Why settings were not taken.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("the configuration {} cannot be read ({cause}); check its name and who may read it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's word.
        cause: io::Error,
    },
    /// The file is no TOML.
    #[error("{place}: {reason}")]
    Syntax {
        /// File and line.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// A key that no table has.
    #[error("{place}: there is no setting {key:?}; {hint}")]
    Unknown {
        /// File and line.
        place: String,
        /// The key.
        key: String,
        /// What may have been meant.
        hint: String,
    },
    /// An impossible value.
    #[error("{place}: {reason}")]
    Value {
        /// Flag, variable, or file, line and key.
        place: String,
        /// What is wrong.
        reason: String,
    },
}

/// A value of a file as texts.
fn texts(value: &DeValue<'_>, shape: Shape) -> Result<Vec<String>, String> {
    match (value, shape) {
        (DeValue::Array(values), Shape::List) => values
            .iter()
            .map(|value| text(value.get_ref(), shape))
            .collect(),
        (value, _) => text(value, shape).map(|text| vec![text]),
    }
}

fn text(value: &DeValue<'_>, shape: Shape) -> Result<String, String> {
    match (value, shape) {
        (DeValue::Boolean(value), Shape::Switch) => Ok(value.to_string()),
        (_, Shape::Switch) => Err("true or false is wanted here, without quotes".to_owned()),
        (DeValue::String(value), _) => Ok(value.to_string()),
        (DeValue::Integer(value), _) if value.radix() == 10 => Ok(value.to_string()),
        (_, Shape::List) => Err("a list such as [\"one\", \"two\"] is wanted here".to_owned()),
        (_, Shape::Text) => Err("a text in quotes or a number is wanted here".to_owned()),
    }
}

fn hint<S: Settings>(key: &str, value: &DeValue<'_>) -> String {
    if matches!(value, DeValue::Table(_)) {
        return "settings stand at the top of the file, in no [section]".to_owned();
    }
    let near = S::table()
        .iter()
        .map(|setting| (distance(key, setting.key), setting.key))
        .min()
        .filter(|&(changes, known)| changes <= 1 + known.len() / 4);
    match near {
        Some((_, known)) => format!("did you mean {known:?}?"),
        None => "--print-config shows all there are".to_owned(),
    }
}

/// How many letters are to be added, left out or replaced.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<_> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.to_ascii_lowercase().chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, &wanted) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != wanted);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

/// `12 h` in the smallest unit; a number alone counts as `alone` of it, or is refused when that is 0.
fn with_unit(text: &str, units: &[(&str, u64)], alone: u64) -> Option<u64> {
    let text = text.trim().replace('_', "");
    let end = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let unit = unit.trim();
    let worth = if unit.is_empty() {
        alone
    } else {
        units
            .iter()
            .find(|(name, _worth)| unit.eq_ignore_ascii_case(name))?
            .1
    };
    number
        .parse::<u64>()
        .ok()?
        .checked_mul(worth)
        .filter(|_| worth > 0)
}

fn wrapped(help: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in help.split_whitespace() {
        let last = lines.len() - 1;
        if lines[last].len() + word.len() >= LINE_LEN {
            lines.push(word.to_owned());
        } else {
            if !lines[last].is_empty() {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines
}

const LINE_LEN: usize = 100;

const BYTE_UNITS: &[(&str, u64)] = &[
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

const TIME_UNITS: &[(&str, u64)] = &[
    ("s", 1),
    ("m", 60),
    ("min", 60),
    ("h", 3_600),
    ("d", 86_400),
    ("w", 604_800),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Lamp {
        bright: bool,
        colours: Vec<String>,
        max_heat: u64,
        wick: Option<PathBuf>,
    }

    impl Settings for Lamp {
        const HEAD: &'static [&'static str] = &["A lamp."];

        fn table() -> &'static [Setting<Self>] {
            LAMPS
        }
    }

    const LAMPS: &[Setting<Lamp>] = &[
        Setting::new(
            ["bright", "bright", "LAMP_BRIGHT"],
            "",
            Shape::Switch,
            Sample::Default("false"),
            "Whether it is bright",
            |lamp, given| given.switch().map(|bright| lamp.bright = bright),
        ),
        Setting::new(
            ["colours", "colours", "LAMP_COLOURS"],
            "NAMES",
            Shape::List,
            Sample::Default("[]"),
            "Its colours",
            |lamp, given| {
                lamp.colours = given.texts()?.into_iter().map(str::to_owned).collect();
                Ok(())
            },
        ),
        Setting::new(
            ["max_heat", "max-heat", "LAMP_MAX_HEAT"],
            "SIZE",
            Shape::Text,
            Sample::Default("0"),
            "How hot it may be",
            |lamp, given| given.bytes().map(|heat| lamp.max_heat = heat),
        ),
        Setting::new(
            ["wick", "wick", "LAMP_WICK"],
            "FILE",
            Shape::Text,
            Sample::Example("\"wick.txt\""),
            "Where its wick is",
            |lamp, given| given.path().map(|path| lamp.wick = Some(path)),
        ),
    ];

    fn lamp(text: &str) -> Result<Lamp, String> {
        let mut lamp = Lamp::default();
        read_text(&mut lamp, text, Path::new("/lamps"), "lamp.toml")
            .map(|()| lamp)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_sets_what_it_names_and_leaves_the_rest() {
        let read = lamp("bright = true\ncolours = [\"red\", \"blue\"]\nwick = \"wick.txt\"\n");
        let expected = Lamp {
            bright: true,
            colours: vec!["red".to_owned(), "blue".to_owned()],
            max_heat: 0,
            wick: Some(PathBuf::from("/lamps/wick.txt")),
        };
        assert_eq!(read, Ok(expected));
        assert_eq!(lamp("wick = \"/w\"").unwrap().wick, Some("/w".into()));
        assert_eq!(lamp(""), Ok(Lamp::default()));
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_a_hint() {
        let said = lamp("# a lamp\nbright = true\nmax_heet = 3\n").unwrap_err();
        assert!(said.starts_with("lamp.toml, line 3:"), "{said}");
        assert!(said.contains("\"max_heet\"") && said.contains("did you mean \"max_heat\"?"));
        let said = lamp("zebra = 1").unwrap_err();
        assert!(
            said.contains("line 1") && said.contains("--print-config"),
            "{said}"
        );
        let said = lamp("\n[lamp]\nbright = true\n").unwrap_err();
        assert!(
            said.contains("line 2") && said.contains("no [section]"),
            "{said}"
        );
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_line_and_key() {
        for (text, words) in [
            ("\nbright = \"true\"", "true or false"),
            ("\nmax_heat = \"hot\"", "512 MiB"),
            ("\nmax_heat = -1", "512 MiB"),
            ("\nmax_heat = 0x10", "a number"),
            ("\ncolours = { a = 1 }", "a list"),
            ("\ncolours = [\"\"]", "empty"),
            ("\nwick = \"\"", "empty"),
            ("\nwick = [\"a\", \"b\"]", "a text"),
        ] {
            let said = lamp(text).unwrap_err();
            assert!(
                said.starts_with("lamp.toml, line 2: ") && said.contains(words),
                "{said}"
            );
        }
        let said = lamp("bright = true\nbright = false").unwrap_err();
        assert!(said.contains("line 2"), "{said}");
        let said = lamp("bright =").unwrap_err();
        assert!(said.contains("line 1"), "{said}");
    }

    #[test]
    fn the_sample_is_a_file_of_the_defaults() {
        let sample = sample::<Lamp>();
        assert_eq!(lamp(&sample), Ok(Lamp::default()), "{sample}");
        assert!(sample.starts_with("# A lamp.\n"));
        assert!(
            sample.contains("# (--max-heat, LAMP_MAX_HEAT)\nmax_heat = 0\n"),
            "{sample}"
        );
        assert!(sample.contains("#wick = \"wick.txt\"\n"), "{sample}");
    }

    #[test]
    fn sizes_and_times_have_units() {
        let bytes = |text: &str| Given::new(&[text.to_owned()], Path::new("")).bytes();
        assert_eq!(bytes("10223616"), Ok(10_223_616));
        assert_eq!(bytes("10_223_616"), Ok(10_223_616));
        assert_eq!(bytes("512 MiB"), Ok(512 << 20));
        assert_eq!(bytes("10gb"), Ok(10_000_000_000));
        for wrong in ["", "MiB", "1.5 GiB", "-1", "1 x", "99999999999 TiB"] {
            assert!(bytes(wrong).is_err(), "{wrong:?}");
        }
        let seconds = |text: &str| Given::new(&[text.to_owned()], Path::new("")).seconds();
        assert_eq!(seconds("14d"), Ok(1_209_600));
        assert_eq!(seconds("1 h"), Ok(3_600));
        for wrong in ["", "14", "0d", "1 month"] {
            assert!(seconds(wrong).is_err(), "{wrong:?}");
        }
    }
}
