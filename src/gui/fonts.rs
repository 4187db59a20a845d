//! The type of the window: Inter in three weights, JetBrains Mono, Noto Sans for the Chinese texts, and the icons, all
//! shipped in `assets/fonts`.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily};

use super::tokens::{ICONS, MEDIUM, SEMIBOLD};

/// One icon of the icon font.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named after what it shows")]
pub enum Icon {
    ArrowLeft,
    ArrowRight,
    Ban,
    Check,
    ChevronDown,
    ChevronRight,
    CircleAlert,
    CircleCheck,
    Clock,
    ClockPlus,
    Close,
    Copy,
    Download,
    Ellipsis,
    Eye,
    EyeOff,
    File,
    Folder,
    Globe,
    HardDrive,
    History,
    Info,
    Keyboard,
    Languages,
    ListX,
    Lock,
    Minus,
    Open,
    Paste,
    Person,
    Plus,
    QrCode,
    Relay,
    Retry,
    Route,
    Scale,
    Server,
    Settings,
    ShieldCheck,
    ShowInFolder,
    Trash,
    Undo,
    Upload,
    Warning,
}

impl Icon {
    /// Every icon of the font.
    pub const ALL: [Self; 44] = [
        Self::ArrowLeft,
        Self::ArrowRight,
        Self::Ban,
        Self::Check,
        Self::ChevronDown,
        Self::ChevronRight,
        Self::CircleAlert,
        Self::CircleCheck,
        Self::Clock,
        Self::ClockPlus,
        Self::Close,
        Self::Copy,
        Self::Download,
        Self::Ellipsis,
        Self::Eye,
        Self::EyeOff,
        Self::File,
        Self::Folder,
        Self::Globe,
        Self::HardDrive,
        Self::History,
        Self::Info,
        Self::Keyboard,
        Self::Languages,
        Self::ListX,
        Self::Lock,
        Self::Minus,
        Self::Open,
        Self::Paste,
        Self::Person,
        Self::Plus,
        Self::QrCode,
        Self::Relay,
        Self::Retry,
        Self::Route,
        Self::Scale,
        Self::Server,
        Self::Settings,
        Self::ShieldCheck,
        Self::ShowInFolder,
        Self::Trash,
        Self::Undo,
        Self::Upload,
        Self::Warning,
    ];

    /// The code point of the icon in the font.
    #[must_use]
    pub(crate) const fn glyph(self) -> char {
        match self {
            Self::ArrowLeft => '\u{E048}',
            Self::ArrowRight => '\u{E049}',
            Self::Ban => '\u{E051}',
            Self::Check => '\u{E06C}',
            Self::ChevronDown => '\u{E06D}',
            Self::ChevronRight => '\u{E06F}',
            Self::CircleAlert => '\u{E077}',
            Self::CircleCheck => '\u{E226}',
            Self::Clock => '\u{E087}',
            Self::ClockPlus => '\u{E667}',
            Self::Close => '\u{E1B2}',
            Self::Copy => '\u{E09E}',
            Self::Download => '\u{E0B2}',
            Self::Ellipsis => '\u{E0B6}',
            Self::Eye => '\u{E0BA}',
            Self::EyeOff => '\u{E0BB}',
            Self::File => '\u{E0CC}',
            Self::Folder => '\u{E0D7}',
            Self::Globe => '\u{E0E8}',
            Self::HardDrive => '\u{E0ED}',
            Self::History => '\u{E1F5}',
            Self::Info => '\u{E0F9}',
            Self::Keyboard => '\u{E284}',
            Self::Languages => '\u{E0FE}',
            Self::ListX => '\u{E240}',
            Self::Lock => '\u{E10B}',
            Self::Minus => '\u{E11C}',
            Self::Open => '\u{E0B9}',
            Self::Paste => '\u{E3E8}',
            Self::Person => '\u{E468}',
            Self::Plus => '\u{E13D}',
            Self::QrCode => '\u{E1DF}',
            Self::Relay => '\u{E542}',
            Self::Retry => '\u{E149}',
            Self::Route => '\u{E53E}',
            Self::Scale => '\u{E212}',
            Self::Server => '\u{E153}',
            Self::Settings => '\u{E154}',
            Self::ShieldCheck => '\u{E1FF}',
            Self::ShowInFolder => '\u{E247}',
            Self::Trash => '\u{E18E}',
            Self::Undo => '\u{E148}',
            Self::Upload => '\u{E19E}',
            Self::Warning => '\u{E193}',
        }
    }
}

/// Font definitions for egui, by family, with the system's fonts as fallback for missing characters.
#[must_use]
pub(crate) fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    let mut add = |name: &str, data: &'static [u8]| {
        fonts
            .font_data
            .insert(name.to_owned(), Arc::new(FontData::from_static(data)));
    };
    add(
        "inter",
        include_bytes!("../../assets/fonts/Inter-Regular.ttf"),
    );
    add(
        "inter-medium",
        include_bytes!("../../assets/fonts/Inter-Medium.ttf"),
    );
    add(
        "inter-semibold",
        include_bytes!("../../assets/fonts/Inter-SemiBold.ttf"),
    );
    add(
        "jetbrains-mono",
        include_bytes!("../../assets/fonts/JetBrainsMono-Regular.ttf"),
    );
    add("lucide", include_bytes!("../../assets/fonts/lucide.ttf"));
    // The characters of the program's own Chinese texts; made by packaging/chinese-font.
    add(
        "noto-sans-sc",
        include_bytes!("../../assets/fonts/NotoSansSC-subset.otf"),
    );
    add(
        "noto-sans-sc-bold",
        include_bytes!("../../assets/fonts/NotoSansSC-Bold-subset.otf"),
    );
    const CHINESE: &str = "noto-sans-sc";
    for (family, names) in [
        (
            FontFamily::Proportional,
            ["inter", "jetbrains-mono", CHINESE],
        ),
        (FontFamily::Monospace, ["jetbrains-mono", "inter", CHINESE]),
        (
            FontFamily::Name(MEDIUM.into()),
            ["inter-medium", "inter", CHINESE],
        ),
        (
            FontFamily::Name(SEMIBOLD.into()),
            ["inter-semibold", "inter", "noto-sans-sc-bold"],
        ),
        (FontFamily::Name(ICONS.into()), ["lucide", "inter", CHINESE]),
    ] {
        fonts
            .families
            .insert(family, names.map(str::to_owned).into());
    }
    fonts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::app::words::l10n::Language;

    #[test]
    fn every_icon_is_in_the_shipped_font() {
        let icons = Icon::ALL.map(Icon::glyph);
        assert_eq!(missing(&FontFamily::Name(ICONS.into()), icons), "");
    }

    #[test]
    fn every_character_of_the_texts_is_in_the_shipped_fonts() {
        let names = Language::OFFERED.map(Language::own_name);
        let characters: BTreeSet<char> = names
            .into_iter()
            .chain(Language::OFFERED.map(Language::file))
            .flat_map(str::chars)
            .filter(|character| !character.is_control())
            .collect();
        for family in [
            FontFamily::Proportional,
            FontFamily::Name(MEDIUM.into()),
            FontFamily::Name(SEMIBOLD.into()),
        ] {
            assert_eq!(
                missing(&family, characters.iter().copied()),
                "",
                "{family:?}: run packaging/chinese-font if these are Chinese"
            );
        }
    }

    fn missing(family: &FontFamily, characters: impl IntoIterator<Item = char>) -> String {
        let ctx = egui::Context::default();
        ctx.set_fonts(definitions());
        let font = egui::FontId::new(16.0, family.clone());
        let characters: Vec<char> = characters.into_iter().collect();
        let missing = std::cell::RefCell::new(String::new());
        let mut output = ctx.run_ui(egui::RawInput::default(), |ui| {
            for character in &characters {
                if !ui.fonts_mut(|fonts| fonts.has_glyph(&font, *character)) {
                    missing.borrow_mut().push(*character);
                }
            }
        });
        output.textures_delta.clear();
        missing.into_inner()
    }
}
