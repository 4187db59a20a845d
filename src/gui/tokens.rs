//! Every colour and measure of the window, named by use. No other file of `gui` holds a raw colour.

use egui::epaint::Shadow;
use egui::style::ScrollAnimation;
use egui::{
    Color32, CornerRadius, FontFamily, FontId, Id, Margin, Stroke, TextStyle, Theme, Ui, Vec2,
    Visuals,
};

/// Distances on a grid of four points.
pub(crate) mod space {
    /// Between an icon and its word.
    pub(crate) const XS: f32 = 4.0;
    /// Between things that belong together.
    pub(crate) const S: f32 = 8.0;
    /// Between lines of one card.
    pub(crate) const M: f32 = 12.0;
    /// Inside a card; between cards.
    pub(crate) const L: f32 = 16.0;
    /// Beside the page; between sections.
    pub(crate) const XL: f32 = 24.0;
}

/// Sizes that repeat.
pub(crate) mod measure {
    /// Widest column of content.
    pub(crate) const COLUMN: f32 = 640.0;
    /// Below this the window is narrow.
    pub(crate) const NARROW: f32 = 520.0;
    /// The top bar.
    pub(crate) const BAR: f32 = 56.0;
    /// The one primary button of a screen.
    pub(crate) const PRIMARY: f32 = 36.0;
    /// Every other control.
    pub(crate) const CONTROL: f32 = 32.0;
    /// Corners of controls.
    pub(crate) const RADIUS: f32 = 6.0;
    /// Corners of cards and of the drop zone.
    pub(crate) const CARD_RADIUS: f32 = 10.0;
    /// Icons in rows and buttons.
    pub(crate) const ICON: f32 = 16.0;
    /// Icons in the bar and at the head of cards.
    pub(crate) const ICON_L: f32 = 20.0;
    /// The icon of an empty screen.
    pub(crate) const ICON_XL: f32 = 40.0;
    /// A question.
    pub(crate) const QUESTION: f32 = 468.0;
    /// Something to read.
    pub(crate) const SHEET: f32 = 620.0;
    /// Something to see at a glance, as wide as it needs.
    pub(crate) const WIDE: f32 = 980.0;
}

/// Seconds that a change takes; none where motion is unwanted.
pub(crate) mod motion {
    use egui::Ui;

    /// Anything but the pointer.
    pub(crate) const STATE: f32 = 0.14;
    const HOVER: f32 = 0.08;

    /// Under the pointer.
    #[must_use]
    pub(crate) fn hover(ui: &Ui) -> f32 {
        HOVER.min(ui.style().animation_time)
    }

    /// Anything else.
    #[must_use]
    pub(crate) fn state(ui: &Ui) -> f32 {
        ui.style().animation_time
    }
}

/// Sizes and weights of type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// 12/16.
    Caption,
    /// 14/20.
    Body,
    /// 14/20, medium.
    Label,
    /// 16/24, semibold.
    Section,
    /// 20/28, semibold.
    Title,
    /// Pointers and counters, 13/20.
    Mono,
}

/// Family of Inter Medium.
pub(crate) const MEDIUM: &str = "medium";
/// Family of Inter SemiBold.
pub(crate) const SEMIBOLD: &str = "semibold";
/// Family of the icons.
pub(crate) const ICONS: &str = "icons";

impl Type {
    /// Font and size.
    #[must_use]
    pub(crate) fn font(self) -> FontId {
        let named = |size, name: &str| FontId::new(size, FontFamily::Name(name.into()));
        match self {
            Self::Caption => FontId::proportional(12.0),
            Self::Body => FontId::proportional(14.0),
            Self::Label => named(14.0, MEDIUM),
            Self::Section => named(16.0, SEMIBOLD),
            Self::Title => named(20.0, SEMIBOLD),
            Self::Mono => FontId::monospace(13.0),
        }
    }

    /// Height of a line.
    #[must_use]
    pub(crate) fn line(self) -> f32 {
        match self {
            Self::Caption => 16.0,
            Self::Body | Self::Label | Self::Mono => 20.0,
            Self::Section => 24.0,
            Self::Title => 28.0,
        }
    }
}

/// The colours of one theme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Palette {
    /// Behind everything.
    pub page: Color32,
    /// Cards and fields.
    pub surface: Color32,
    /// Of menus and tips, which stand on surfaces.
    pub raised: Color32,
    /// Wells and tracks.
    pub sunken: Color32,
    /// Secondary buttons.
    pub control: Color32,
    /// A secondary button under the mouse pointer.
    pub control_hover: Color32,
    /// What cannot be pressed now.
    pub disabled: Color32,
    /// The chosen one of a few.
    pub chosen: Color32,
    /// Text on the chosen one of a few.
    pub on_chosen: Color32,
    /// Decoration between things.
    pub border: Color32,
    /// Outline of a field or of the drop zone.
    pub control_border: Color32,
    /// Text.
    pub text: Color32,
    /// Text that comes second.
    pub muted: Color32,
    /// Placeholders and steps to come.
    pub faint: Color32,
    /// Focus, progress, accented text.
    pub accent: Color32,
    /// Primary buttons.
    pub accent_fill: Color32,
    /// A primary button under the mouse pointer.
    pub accent_fill_hover: Color32,
    /// A zone under the pointer, what is open.
    pub accent_tint: Color32,
    /// Behind selected text.
    pub selection: Color32,
    /// Text on fills.
    pub on_fill: Color32,
    /// Words of success.
    pub success: Color32,
    /// Behind words of success.
    pub success_tint: Color32,
    /// Words that ask for a decision.
    pub warning: Color32,
    /// Behind a warning.
    pub warning_tint: Color32,
    /// Words of failure.
    pub danger: Color32,
    /// Behind a failure.
    pub danger_tint: Color32,
    /// A button that stops something.
    pub danger_fill: Color32,
    /// A button that stops something, under the mouse pointer.
    pub danger_fill_hover: Color32,
    /// Good to know.
    pub info: Color32,
    /// Behind it.
    pub info_tint: Color32,
    /// Over what a question holds back.
    pub backdrop: Color32,
    /// Width of the focus ring.
    pub ring: f32,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tokens are where colours are made"
)]
const fn rgb(hex: u32) -> Color32 {
    let [_, r, g, b] = hex.to_be_bytes();
    Color32::from_rgb(r, g, b)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tokens are where colours are made"
)]
const fn shade(alpha: u8) -> Color32 {
    Color32::from_rgba_unmultiplied_const(0, 0, 0, alpha)
}

impl Palette {
    /// Light.
    pub(crate) const LIGHT: Self = Self {
        page: rgb(0xF6_F7F8),
        surface: rgb(0xFF_FFFF),
        raised: rgb(0xFF_FFFF),
        sunken: rgb(0xEC_EFF1),
        control: rgb(0xE7_EBEE),
        control_hover: rgb(0xDA_E0E4),
        disabled: rgb(0xF0_F2F4),
        chosen: rgb(0xFF_FFFF),
        on_chosen: rgb(0x16_202A),
        border: rgb(0xE1_E6EA),
        control_border: rgb(0x75_808B),
        text: rgb(0x16_202A),
        muted: rgb(0x55_626E),
        faint: rgb(0x62_6E79),
        accent: rgb(0x0A_6B5D),
        accent_fill: rgb(0x0A_6B5D),
        accent_fill_hover: rgb(0x08_584D),
        accent_tint: rgb(0xDD_F1EC),
        selection: rgb(0xBF_E3DB),
        on_fill: rgb(0xFF_FFFF),
        success: rgb(0x1E_7A3C),
        success_tint: rgb(0xE2_F3E7),
        warning: rgb(0x8A_5A00),
        warning_tint: rgb(0xFB_F0DA),
        danger: rgb(0xB3_261E),
        danger_tint: rgb(0xFC_E9E7),
        danger_fill: rgb(0xB3_261E),
        danger_fill_hover: rgb(0x95_1D17),
        info: rgb(0x1F_5FA8),
        info_tint: rgb(0xE6_EFF9),
        backdrop: shade(110),
        ring: 2.0,
    };

    /// Dark.
    pub(crate) const DARK: Self = Self {
        page: rgb(0x12_161A),
        surface: rgb(0x1A_2026),
        raised: rgb(0x22_2A31),
        sunken: rgb(0x0D_1013),
        control: rgb(0x28_3139),
        control_hover: rgb(0x34_3F49),
        disabled: rgb(0x1E_252B),
        chosen: rgb(0x46_535F),
        on_chosen: rgb(0xE9_EEF2),
        border: rgb(0x26_2E36),
        control_border: rgb(0x7A_8692),
        text: rgb(0xE9_EEF2),
        muted: rgb(0xA3_AFBA),
        faint: rgb(0x88_94A0),
        accent: rgb(0x4C_C9B0),
        accent_fill: rgb(0x0F_7A69),
        accent_fill_hover: rgb(0x0D_6B5C),
        accent_tint: rgb(0x14_332D),
        selection: rgb(0x0D_6B5C),
        on_fill: rgb(0xFF_FFFF),
        success: rgb(0x6C_CB86),
        success_tint: rgb(0x16_301F),
        warning: rgb(0xE3_B341),
        warning_tint: rgb(0x35_2A12),
        danger: rgb(0xFF_8A80),
        danger_tint: rgb(0x3A_1D1B),
        danger_fill: rgb(0xC6_2828),
        danger_fill_hover: rgb(0xA9_2020),
        info: rgb(0x7D_B4F0),
        info_tint: rgb(0x15_263A),
        backdrop: shade(150),
        ring: 2.0,
    };

    /// Light, high contrast: no tints, borders as strong as text.
    pub(crate) const LIGHT_HIGH: Self = Self {
        page: rgb(0xFF_FFFF),
        sunken: rgb(0xFF_FFFF),
        control: rgb(0xE4_E4E4),
        control_hover: rgb(0xC8_C8C8),
        disabled: rgb(0xF4_F4F4),
        chosen: rgb(0x00_0000),
        on_chosen: rgb(0xFF_FFFF),
        border: rgb(0x00_0000),
        control_border: rgb(0x00_0000),
        text: rgb(0x00_0000),
        muted: rgb(0x00_0000),
        faint: rgb(0x33_3333),
        accent: rgb(0x00_4D40),
        accent_fill: rgb(0x00_4D40),
        accent_fill_hover: rgb(0x00_2E26),
        accent_tint: rgb(0xFF_FFFF),
        success: rgb(0x00_5A1E),
        success_tint: rgb(0xFF_FFFF),
        warning: rgb(0x5C_3A00),
        warning_tint: rgb(0xFF_FFFF),
        danger: rgb(0x8C_0D08),
        danger_tint: rgb(0xFF_FFFF),
        danger_fill: rgb(0x8C_0D08),
        danger_fill_hover: rgb(0x64_0805),
        info: rgb(0x0B_3F7A),
        info_tint: rgb(0xFF_FFFF),
        ring: 3.0,
        ..Self::LIGHT
    };

    /// Dark, high contrast: no tints, borders as strong as text.
    pub(crate) const DARK_HIGH: Self = Self {
        page: rgb(0x00_0000),
        surface: rgb(0x00_0000),
        raised: rgb(0x00_0000),
        sunken: rgb(0x00_0000),
        control: rgb(0x2B_2B2B),
        control_hover: rgb(0x48_4848),
        disabled: rgb(0x14_1414),
        chosen: rgb(0xFF_FFFF),
        on_chosen: rgb(0x00_0000),
        border: rgb(0xFF_FFFF),
        control_border: rgb(0xFF_FFFF),
        text: rgb(0xFF_FFFF),
        muted: rgb(0xFF_FFFF),
        faint: rgb(0xD0_D0D0),
        accent: rgb(0x7F_FFE0),
        accent_fill: rgb(0x00_5E50),
        accent_fill_hover: rgb(0x00_4A3F),
        accent_tint: rgb(0x00_0000),
        selection: rgb(0x00_5E50),
        success: rgb(0x9C_F0B0),
        success_tint: rgb(0x00_0000),
        warning: rgb(0xFF_D873),
        warning_tint: rgb(0x00_0000),
        danger: rgb(0xFF_B3AD),
        danger_tint: rgb(0x00_0000),
        danger_fill: rgb(0xA3_1515),
        danger_fill_hover: rgb(0x86_1010),
        info: rgb(0xA9_D0FF),
        info_tint: rgb(0x00_0000),
        ring: 3.0,
        ..Self::DARK
    };

    /// Whether this is one of the two with high contrast.
    #[must_use]
    pub(crate) fn is_high(&self) -> bool {
        self.ring > 2.0
    }

    /// A fill while it is held down.
    #[must_use]
    pub(crate) fn pressed(&self, fill: Color32) -> Color32 {
        fill.lerp_to_gamma(self.text, 0.06)
    }

    /// The palette of a theme.
    #[must_use]
    pub(crate) const fn of(dark: bool, high_contrast: bool) -> &'static Self {
        match (dark, high_contrast) {
            (false, false) => &Self::LIGHT,
            (true, false) => &Self::DARK,
            (false, true) => &Self::LIGHT_HIGH,
            (true, true) => &Self::DARK_HIGH,
        }
    }
}

/// The two colours of a code for cameras, the same in every theme: ink and paper.
pub(crate) const QR: [Color32; 2] = [rgb(0x00_0000), rgb(0xFF_FFFF)];

fn contrast_key() -> Id {
    Id::unique("cloakroom high contrast")
}

/// The palette in use.
#[must_use]
pub(crate) fn palette(ui: &Ui) -> &'static Palette {
    let high = ui
        .data(|data| data.get_temp(contrast_key()))
        .unwrap_or(false);
    Palette::of(ui.visuals().dark_mode, high)
}

/// The palette in use, outside a `Ui`.
#[must_use]
pub(crate) fn palette_of(ctx: &egui::Context) -> &'static Palette {
    let high = ctx
        .data(|data| data.get_temp(contrast_key()))
        .unwrap_or(false);
    Palette::of(ctx.theme() == Theme::Dark, high)
}

/// Puts colours and measures into both of egui's themes.
pub(crate) fn install(ctx: &egui::Context, high_contrast: bool, reduced_motion: bool) {
    ctx.data_mut(|data| data.insert_temp(contrast_key(), high_contrast));
    for theme in [Theme::Light, Theme::Dark] {
        let palette = Palette::of(theme == Theme::Dark, high_contrast);
        ctx.style_mut_of(theme, |style| {
            style.visuals = visuals(palette, theme == Theme::Dark);
            style.text_styles = [
                (TextStyle::Small, Type::Caption.font()),
                (TextStyle::Body, Type::Body.font()),
                (TextStyle::Button, Type::Label.font()),
                (TextStyle::Heading, Type::Section.font()),
                (TextStyle::Monospace, Type::Mono.font()),
            ]
            .into();
            style.animation_time = if reduced_motion { 0.0 } else { motion::STATE };
            style.scroll_animation = if reduced_motion {
                ScrollAnimation::none()
            } else {
                ScrollAnimation::default()
            };
            style.interaction.selectable_labels = false;
            style.interaction.tooltip_delay = 0.5;
            let spacing = &mut style.spacing;
            spacing.item_spacing = Vec2::splat(space::S);
            spacing.button_padding = Vec2::new(14.0, 6.0);
            spacing.interact_size.y = measure::CONTROL;
            spacing.window_margin = Margin::same(20);
            spacing.menu_margin = Margin::same(6);
            spacing.scroll.bar_width = 8.0;
            spacing.scroll.floating = true;
            spacing.scroll.floating_width = 4.0;
            spacing.scroll.active_handle_opacity = 0.3;
            spacing.scroll.interact_handle_opacity = 0.6;
            spacing.scroll.active_background_opacity = 0.0;
            spacing.scroll.interact_background_opacity = 0.0;
            spacing.tooltip_width = 420.0;
        });
    }
}

fn visuals(palette: &Palette, dark: bool) -> Visuals {
    let mut visuals = if dark {
        Visuals::dark()
    } else {
        Visuals::light()
    };
    visuals.override_text_color = Some(palette.text);
    visuals.weak_text_color = Some(palette.faint);
    visuals.hyperlink_color = palette.accent;
    visuals.panel_fill = palette.page;
    visuals.window_fill = palette.raised;
    visuals.extreme_bg_color = palette.surface;
    visuals.faint_bg_color = palette.sunken;
    visuals.code_bg_color = palette.sunken;
    visuals.warn_fg_color = palette.warning;
    visuals.error_fg_color = palette.danger;
    visuals.window_stroke = Stroke::new(1.0, palette.border);
    visuals.window_corner_radius = CornerRadius::same(10);
    visuals.menu_corner_radius = CornerRadius::same(6);
    visuals.window_shadow = Shadow {
        offset: [0, 12],
        blur: 40,
        spread: 0,
        color: shade(if dark { 130 } else { 45 }),
    };
    visuals.popup_shadow = Shadow {
        offset: [0, 4],
        blur: 16,
        spread: 0,
        color: shade(if dark { 110 } else { 30 }),
    };
    visuals.selection.bg_fill = palette.selection;
    visuals.selection.stroke = Stroke::new(1.0, palette.text);
    visuals.text_cursor.stroke = Stroke::new(2.0, palette.accent);
    // A caret that blinks draws the window twice a second for as long as a field has the keyboard.
    visuals.text_cursor.blink = false;
    let widgets = &mut visuals.widgets;
    for (widget, fill) in [
        (&mut widgets.noninteractive, palette.surface),
        (&mut widgets.inactive, palette.control),
        (&mut widgets.hovered, palette.control_hover),
        (&mut widgets.active, palette.control_hover),
        (&mut widgets.open, palette.control_hover),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.bg_stroke = Stroke::new(1.0, palette.border);
        widget.fg_stroke = Stroke::new(1.0, palette.text);
        widget.corner_radius = CornerRadius::same(6);
        widget.expansion = 0.0;
    }
    visuals
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of WCAG 2.2.
    fn luminance(color: Color32) -> f64 {
        let channel = |byte: u8| {
            let part = f64::from(byte) / 255.0;
            if part <= 0.040_45 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(color.r()) + 0.7152 * channel(color.g()) + 0.0722 * channel(color.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of cases")]
    fn every_text_can_be_read_on_everything_it_stands_on() {
        for (theme, p) in [
            ("light", Palette::LIGHT),
            ("dark", Palette::DARK),
            ("light high", Palette::LIGHT_HIGH),
            ("dark high", Palette::DARK_HIGH),
        ] {
            let grounds = [
                ("page", p.page),
                ("surface", p.surface),
                ("sunken", p.sunken),
            ];
            let texts = [
                ("text", p.text),
                ("muted", p.muted),
                ("faint", p.faint),
                ("accent", p.accent),
            ];
            let mut pairs: Vec<(String, Color32, Color32, f64)> = Vec::new();
            for (ground, behind) in grounds {
                for (text, color) in texts {
                    pairs.push((format!("{text} on {ground}"), color, behind, 4.5));
                }
                pairs.push((
                    format!("outline on {ground}"),
                    p.control_border,
                    behind,
                    3.0,
                ));
                pairs.push((format!("focus ring on {ground}"), p.accent, behind, 3.0));
            }
            for (name, color, tint) in [
                ("success", p.success, p.success_tint),
                ("warning", p.warning, p.warning_tint),
                ("danger", p.danger, p.danger_tint),
                ("info", p.info, p.info_tint),
                ("accent", p.accent, p.accent_tint),
            ] {
                pairs.push((format!("{name} on its tint"), color, tint, 4.5));
                pairs.push((format!("{name} on surface"), color, p.surface, 4.5));
                pairs.push((format!("text on tint of {name}"), p.text, tint, 4.5));
                pairs.push((format!("muted on tint of {name}"), p.muted, tint, 4.5));
                pairs.push((format!("accent on tint of {name}"), p.accent, tint, 4.5));
                pairs.push((format!("{name} on page"), color, p.page, 4.5));
            }
            for (name, fill) in [
                ("accent fill", p.accent_fill),
                ("accent fill, hover", p.accent_fill_hover),
                ("danger fill", p.danger_fill),
                ("danger fill, hover", p.danger_fill_hover),
            ] {
                pairs.push((format!("label on {name}"), p.on_fill, fill, 4.5));
                let held = p.pressed(fill);
                pairs.push((format!("label on {name}, held"), p.on_fill, held, 4.5));
            }
            for (name, ink, fill) in [
                ("secondary button", p.text, p.control_hover),
                ("quiet button", p.accent, p.control),
            ] {
                pairs.push((format!("{name}, held"), ink, p.pressed(fill), 4.5));
            }
            pairs.push(("text on control".to_owned(), p.text, p.control, 4.5));
            pairs.push((
                "text on control, hover".to_owned(),
                p.text,
                p.control_hover,
                4.5,
            ));
            pairs.push(("text on chosen".to_owned(), p.on_chosen, p.chosen, 4.5));
            pairs.push(("selected text".to_owned(), p.text, p.selection, 4.5));
            pairs.push(("faint on disabled".to_owned(), p.faint, p.disabled, 4.5));
            pairs.push(("muted on control".to_owned(), p.muted, p.control, 4.5));
            pairs.push(("quiet button".to_owned(), p.accent, p.control, 4.5));
            pairs.push(("danger in a menu".to_owned(), p.danger, p.control, 4.5));
            for (name, ink) in [("text", p.text), ("muted", p.muted), ("danger", p.danger)] {
                pairs.push((format!("{name} in a menu at rest"), ink, p.raised, 4.5));
            }
            // Shapes that say something by themselves.
            for (shape, color, behind) in [
                ("progress on its track", p.accent, p.control),
                (
                    "chosen segment on its track",
                    if p.is_high() {
                        p.chosen
                    } else {
                        p.control_border
                    },
                    p.control,
                ),
                ("focus ring on control", p.accent, p.control),
                (
                    "switch that is on, on surface",
                    if p.is_high() {
                        p.control_border
                    } else {
                        p.accent_fill
                    },
                    p.surface,
                ),
                ("knob of a switch that is on", p.on_fill, p.accent_fill),
                ("knob of a switch that is off", p.muted, p.control),
                (
                    "outline of a switch that is off",
                    p.control_border,
                    p.surface,
                ),
                ("icon on sunken", p.muted, p.sunken),
                ("focus ring on a tint", p.accent, p.accent_tint),
                ("ink on paper", QR[0], QR[1]),
            ] {
                pairs.push((shape.to_owned(), color, behind, 3.0));
            }
            for (name, color, behind, least) in pairs {
                let ratio = contrast(color, behind);
                assert!(
                    ratio >= least,
                    "{theme}: {name} has {ratio:.2}, needs {least}"
                );
            }
        }
    }

    #[test]
    fn contrast_is_computed_as_the_standard_says() {
        assert!((contrast(Color32::BLACK, Color32::WHITE) - 21.0).abs() < 1e-9);
        assert!((contrast(rgb(0x77_7777), Color32::WHITE) - 4.48).abs() < 0.01);
    }
}
