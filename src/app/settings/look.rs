//! Choices about the window; where the system or the person says otherwise each time, that is the default.

use serde::{Deserialize, Serialize};

/// How the window looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the system does.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// How strong the window's colours are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Contrast {
    /// As the system says.
    #[default]
    System,
    /// As designed.
    Normal,
    /// Stronger.
    High,
}

/// How several files or folders are shared that came together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeveralThings {
    /// The person is asked each time.
    #[default]
    Ask,
    /// As one, which arrives as a folder, with one pointer.
    AsOne,
    /// One by one, with a pointer each.
    OneEach,
}

/// Which display system the window opens on, where there are several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Display {
    /// The one that can do more.
    #[default]
    Auto,
    /// X11.
    X11,
    /// Wayland.
    Wayland,
}

/// What draws the window; where it cannot, the other one does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Renderer {
    /// The one that looks better.
    #[default]
    Auto,
    /// Vulkan, Metal or Direct3D.
    Wgpu,
    /// OpenGL.
    Glow,
}
