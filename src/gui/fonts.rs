//! The type of the window: Inter in three weights, JetBrains Mono, and the icons, all shipped in `assets/fonts`.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily};

use super::tokens::{ICONS, MEDIUM, SEMIBOLD};

/// One icon of the icon font.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named after what it shows")]
pub enum Icon {
    Check,
    CircleAlert,
    CircleCheck,
    Close,
    Copy,
    Download,
    File,
    Folder,
    HardDrive,
    Info,
    Open,
    Paste,
    Plus,
    Retry,
    Route,
    Server,
    Settings,
    ShieldCheck,
    ShowInFolder,
    Trash,
    Upload,
    Warning,
}

impl Icon {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::Check,
        Self::CircleAlert,
        Self::CircleCheck,
        Self::Close,
        Self::Copy,
        Self::Download,
        Self::File,
        Self::Folder,
        Self::HardDrive,
        Self::Info,
        Self::Open,
        Self::Paste,
        Self::Plus,
        Self::Retry,
        Self::Route,
        Self::Server,
        Self::Settings,
        Self::ShieldCheck,
        Self::ShowInFolder,
        Self::Trash,
        Self::Upload,
        Self::Warning,
    ];

    /// Its place in the icon font.
    #[must_use]
    pub const fn glyph(self) -> char {
        match self {
            Self::Check => '\u{E06C}',
            Self::CircleAlert => '\u{E077}',
            Self::CircleCheck => '\u{E226}',
            Self::Close => '\u{E1B2}',
            Self::Copy => '\u{E09E}',
            Self::Download => '\u{E0B2}',
            Self::File => '\u{E0CC}',
            Self::Folder => '\u{E0D7}',
            Self::HardDrive => '\u{E0ED}',
            Self::Info => '\u{E0F9}',
            Self::Open => '\u{E0B9}',
            Self::Paste => '\u{E3E8}',
            Self::Plus => '\u{E13D}',
            Self::Retry => '\u{E149}',
            Self::Route => '\u{E53E}',
            Self::Server => '\u{E153}',
            Self::Settings => '\u{E154}',
            Self::ShieldCheck => '\u{E1FF}',
            Self::ShowInFolder => '\u{E247}',
            Self::Trash => '\u{E18E}',
            Self::Upload => '\u{E19E}',
            Self::Warning => '\u{E193}',
        }
    }
}

/// Every font, by family. Characters that they lack come from the system's fonts.
#[must_use]
pub fn definitions() -> FontDefinitions {
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
    for (family, names) in [
        (FontFamily::Proportional, ["inter", "jetbrains-mono"]),
        (FontFamily::Monospace, ["jetbrains-mono", "inter"]),
        (FontFamily::Name(MEDIUM.into()), ["inter-medium", "inter"]),
        (
            FontFamily::Name(SEMIBOLD.into()),
            ["inter-semibold", "inter"],
        ),
        (FontFamily::Name(ICONS.into()), ["lucide", "inter"]),
    ] {
        fonts
            .families
            .insert(family, names.map(str::to_owned).to_vec());
    }
    fonts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_icon_is_in_the_shipped_font() {
        let ctx = egui::Context::default();
        ctx.set_fonts(definitions());
        let family = egui::FontId::new(16.0, FontFamily::Name(ICONS.into()));
        let missing = std::cell::RefCell::new(Vec::new());
        let mut output = ctx.run_ui(egui::RawInput::default(), |ui| {
            for icon in Icon::ALL {
                if !ui.fonts_mut(|fonts| fonts.has_glyph(&family, icon.glyph())) {
                    missing.borrow_mut().push(icon);
                }
            }
        });
        output.textures_delta.clear();
        assert_eq!(*missing.borrow(), []);
    }
}
