//! How the system wants windows to look: dark or light, strong colours, nothing that moves.
//!
//! On Linux and the BSDs the settings portal says so, and says when it changes. On Windows and macOS the window itself
//! is told whether it is dark; the rest is asked for every few seconds.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::gui::model::SystemLook;

/// Asks and listens, on a thread of its own that ends with the program.
#[derive(Default)]
pub(crate) struct Watch {
    known: Arc<Mutex<LastLook>>,
}

#[derive(Default)]
struct LastLook {
    look: Option<SystemLook>,
    tell: Option<Box<dyn Fn(SystemLook) + Send>>,
}

impl Watch {
    /// Begins to ask. On Linux without a portal nothing is ever told.
    #[must_use]
    pub(crate) fn start() -> Self {
        let watch = Self::default();
        #[cfg(all(unix, not(target_os = "macos")))]
        portal::follow({
            let known = Arc::clone(&watch.known);
            move |look| Self::heard(&known, look)
        });
        #[cfg(any(windows, target_os = "macos"))]
        asked::follow({
            let known = Arc::clone(&watch.known);
            move |look| Self::heard(&known, look)
        });
        watch
    }

    /// Calls `tell` with the present look, where it is known, and whenever it changes from now on.
    pub(crate) fn tell(&self, tell: Box<dyn Fn(SystemLook) + Send>) {
        let mut known = self.known.lock();
        if let Some(look) = known.look {
            tell(look);
        }
        known.tell = Some(tell);
    }

    fn heard(known: &Mutex<LastLook>, look: SystemLook) {
        let mut known = known.lock();
        if known.look == Some(look) {
            return;
        }
        known.look = Some(look);
        if let Some(tell) = &known.tell {
            tell(look);
        }
    }
}

#[cfg(any(windows, target_os = "macos", test))]
mod asked {
    //! What these systems send when it changes reaches only their own windows; so they are asked again and again, which
    //! costs next to nothing, and the window hears of it only when it has changed.

    #[cfg(any(windows, target_os = "macos"))]
    use std::time::Duration;

    #[cfg(any(windows, target_os = "macos"))]
    use super::SystemLook;

    /// Time between two looks.
    #[cfg(any(windows, target_os = "macos"))]
    const EVERY: Duration = Duration::from_secs(3);

    /// Tells what the system says, until the program ends.
    #[cfg(any(windows, target_os = "macos"))]
    #[expect(
        clippy::disallowed_methods,
        reason = "it waits between two looks; nobody waits for it"
    )]
    pub(crate) fn follow(heard: impl Fn(SystemLook) + Send + 'static) {
        std::thread::Builder::new()
            .name("cloakroom-look".to_owned())
            .spawn(move || {
                loop {
                    heard(look());
                    std::thread::sleep(EVERY);
                }
            })
            .ok();
    }

    #[cfg(windows)]
    fn look() -> SystemLook {
        use windows_registry::CURRENT_USER;

        let contrast = CURRENT_USER.open(r"Control Panel\Accessibility\HighContrast");
        let contrast = contrast.and_then(|key| key.get_string("Flags"));
        let desktop = CURRENT_USER.open(r"Control Panel\Desktop");
        let mask = desktop.and_then(|key| key.get_value("UserPreferencesMask"));
        SystemLook {
            dark: None,
            high_contrast: contrast.is_ok_and(|flags| is_high_contrast(&flags)),
            reduced_motion: mask.is_ok_and(|mask| !moves(&mask)),
        }
    }

    #[cfg(target_os = "macos")]
    fn look() -> SystemLook {
        let workspace = objc2_app_kit::NSWorkspace::sharedWorkspace();
        SystemLook {
            dark: None,
            high_contrast: workspace.accessibilityDisplayShouldIncreaseContrast(),
            reduced_motion: workspace.accessibilityDisplayShouldReduceMotion(),
        }
    }

    /// `HCF_HIGHCONTRASTON` in the flags of Windows, which are a number in decimal.
    #[cfg(any(windows, test))]
    fn is_high_contrast(flags: &str) -> bool {
        flags.trim().parse().is_ok_and(|flags: u32| flags & 1 != 0)
    }

    /// Whether what is in windows may move (`SPI_GETCLIENTAREAANIMATION`): bit 33 of the mask of Windows.
    #[cfg(any(windows, test))]
    fn moves(mask: &[u8]) -> bool {
        mask.get(4).is_none_or(|byte| byte & 0b10 != 0)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_values_of_the_registry_are_understood() {
            for (flags, high) in [
                ("126", false),
                ("127", true),
                (" 4223\n", true),
                ("", false),
                ("on", false),
            ] {
                assert_eq!(is_high_contrast(flags), high, "{flags:?}");
            }
            assert!(moves(&[0x9e, 0x3e, 0x07, 0x80, 0x12, 0, 0, 0]));
            assert!(!moves(&[0x90, 0x12, 0x03, 0x80, 0x10, 0, 0, 0]));
            assert!(moves(&[0x9e, 0x3e]));
        }
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
mod portal {
    use zbus::blocking::{Connection, Proxy};
    use zbus::zvariant::{OwnedValue, Value};

    use super::SystemLook;

    const SERVICE: &str = "org.freedesktop.portal.Desktop";
    const PATH: &str = "/org/freedesktop/portal/desktop";
    const SETTINGS: &str = "org.freedesktop.portal.Settings";
    const APPEARANCE: &str = "org.freedesktop.appearance";
    const GNOME: &str = "org.gnome.desktop.interface";

    /// Tells what the portal says, until the program ends.
    #[expect(
        clippy::disallowed_methods,
        reason = "it waits for the system's messages; nobody waits for it"
    )]
    pub(crate) fn follow(heard: impl Fn(SystemLook) + Send + 'static) {
        std::thread::Builder::new()
            .name("cloakroom-look".to_owned())
            .spawn(move || {
                // Without a bus or a portal there is nothing to follow.
                listen(&heard).ok();
            })
            .ok();
    }

    fn listen(heard: &impl Fn(SystemLook)) -> zbus::Result<()> {
        let bus = Connection::session()?;
        let settings = Proxy::new(&bus, SERVICE, PATH, SETTINGS)?;
        // First the signal, then the values: no change falls between.
        let changes = settings.receive_signal("SettingChanged")?;
        let mut look = SystemLook::default();
        for (space, key) in [
            (GNOME, "enable-animations"),
            (APPEARANCE, "color-scheme"),
            (APPEARANCE, "contrast"),
            (APPEARANCE, "reduced-motion"),
        ] {
            if let Ok(value) = read(&settings, space, key) {
                take(&mut look, space, key, &value);
            }
        }
        heard(look);
        for change in changes {
            let body = change.body();
            let Ok((space, key, value)) = body.deserialize::<(String, String, Value<'_>)>() else {
                continue;
            };
            take(&mut look, &space, &key, &value);
            heard(look);
        }
        Ok(())
    }

    fn read(settings: &Proxy<'_>, space: &str, key: &str) -> zbus::Result<OwnedValue> {
        // `ReadOne` is newer; the older answer has one more wrapping, which `take` takes off.
        settings
            .call("ReadOne", &(space, key))
            .or_else(|_older| settings.call("Read", &(space, key)))
    }

    /// Takes one setting in; what is not known is left alone.
    fn take(look: &mut SystemLook, space: &str, key: &str, value: &Value<'_>) {
        if let Value::Value(inner) = value {
            return take(look, space, key, inner);
        }
        match (space, key, value) {
            (APPEARANCE, "color-scheme", Value::U32(1)) => look.dark = Some(true),
            (APPEARANCE, "color-scheme", Value::U32(2)) => look.dark = Some(false),
            (APPEARANCE, "color-scheme", Value::U32(_)) => look.dark = None,
            (APPEARANCE, "contrast", Value::U32(wish)) => look.high_contrast = *wish == 1,
            (APPEARANCE, "reduced-motion", Value::U32(wish)) => look.reduced_motion = *wish == 1,
            (GNOME, "enable-animations", Value::Bool(on)) => look.reduced_motion = !on,
            _ => {}
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn after(settings: &[(&str, &str, Value<'static>)]) -> SystemLook {
            let mut look = SystemLook::default();
            for (space, key, value) in settings {
                take(&mut look, space, key, value);
            }
            look
        }

        #[test]
        fn the_portals_values_are_understood_wrapped_or_not() {
            let wrapped = Value::Value(Box::new(Value::U32(1)));
            let look = after(&[
                (APPEARANCE, "color-scheme", wrapped),
                (APPEARANCE, "contrast", Value::U32(1)),
                (GNOME, "enable-animations", Value::Bool(false)),
            ]);
            assert_eq!(
                look,
                SystemLook {
                    dark: Some(true),
                    high_contrast: true,
                    reduced_motion: true
                }
            );
            let light = after(&[(APPEARANCE, "color-scheme", Value::U32(2))]);
            assert_eq!(light.dark, Some(false));
        }

        #[test]
        fn no_preference_and_nonsense_change_nothing() {
            let look = after(&[
                (APPEARANCE, "color-scheme", Value::U32(0)),
                (APPEARANCE, "color-scheme", Value::from("dark")),
                (APPEARANCE, "accent-color", Value::U32(1)),
                ("org.example", "contrast", Value::U32(1)),
            ]);
            assert_eq!(look, SystemLook::default());
        }
    }
}
