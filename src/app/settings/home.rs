//! Where settings and data of this person live.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use directories::{ProjectDirs, UserDirs};

use super::error::SettingsError;
use crate::disk::private;

/// The variable that puts settings and data into one folder of the person's choice.
pub(crate) const HOME_VARIABLE: &str = "CLOAKROOM_HOME";

/// Name of the file of the settings.
const FILE_NAME: &str = "config.toml";

/// Where settings and data live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The folder of `config.toml`.
    pub config_dir: PathBuf,
    /// The folder of everything else.
    pub data_dir: PathBuf,
}

impl Home {
    /// The folder that `CLOAKROOM_HOME` names, for both; else what the system has for settings and for data.
    ///
    /// # Errors
    /// [`SettingsError::NoHome`] when the variable is not set and the person has no home folder;
    /// [`SettingsError::NotPrivate`] as [`Home::checked`].
    pub(crate) fn find() -> Result<Self, SettingsError> {
        Self::find_with(std::env::var_os(HOME_VARIABLE))?.checked()
    }

    /// Returns this home if nobody but this person can change its folders. Anybody else would decide which servers,
    /// relays and windows this program trusts.
    ///
    /// # Errors
    /// [`SettingsError::NotPrivate`].
    pub(crate) fn checked(self) -> Result<Self, SettingsError> {
        for folder in [&self.config_dir, &self.data_dir] {
            private::check(folder).map_err(|why| SettingsError::NotPrivate {
                folder: folder.clone(),
                why,
            })?;
        }
        Ok(self)
    }

    /// Settings and data in one folder.
    #[must_use]
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self {
            config_dir: folder.clone(),
            data_dir: folder,
        }
    }

    /// The folder of the built-in network's keys and store.
    #[must_use]
    pub(crate) fn builtin_dir(&self) -> PathBuf {
        self.data_dir.join("builtin")
    }

    /// The file of the settings.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.config_dir.join(FILE_NAME)
    }

    fn find_with(variable: Option<OsString>) -> Result<Self, SettingsError> {
        if let Some(folder) = variable.filter(|folder| !folder.is_empty()) {
            return std::path::absolute(folder)
                .map(Self::in_folder)
                .or(Err(SettingsError::NoHome));
        }
        let folders = ProjectDirs::from("", "", "Cloakroom").ok_or(SettingsError::NoHome)?;
        Ok(Self {
            config_dir: folders.config_dir().to_owned(),
            data_dir: folders.data_local_dir().to_owned(),
        })
    }
}

/// Returns the system's folder for downloads, else `Downloads` in the home folder if it exists, else the home folder, else
/// the current folder.
pub fn usual_downloads() -> PathBuf {
    let of_system = || {
        let folders = UserDirs::new()?;
        Some(downloads_of(folders.download_dir(), folders.home_dir()))
    };
    of_system().unwrap_or_else(|| PathBuf::from("."))
}

/// The folder for downloads of the person with this home folder; `named` is the one that the system names for them.
fn downloads_of(named: Option<&Path>, home: &Path) -> PathBuf {
    // Without xdg-user-dirs a desktop names nothing, and xdg-user-dirs names the home folder itself in place of a folder
    // that once was not there.
    if let Some(named) = named.filter(|named| *named != home) {
        return named.to_owned();
    }
    let usual = home.join("Downloads");
    if usual.is_dir() {
        usual
    } else {
        home.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::*;

    #[test]
    fn downloads_go_to_the_folder_for_them_where_there_is_one() {
        let home = tempdir().unwrap();
        let home = home.path();
        let named = home.join("Téléchargements");
        assert_eq!(downloads_of(Some(&named), home), named);
        let unnamed = [None, Some(home)];
        for unnamed in unnamed {
            assert_eq!(downloads_of(unnamed, home), home);
        }
        let usual = home.join("Downloads");
        fs::create_dir(&usual).unwrap();
        for unnamed in unnamed {
            assert_eq!(downloads_of(unnamed, home), usual);
        }
        assert_eq!(downloads_of(Some(&named), home), named);
    }

    #[test]
    fn one_variable_moves_everything() {
        let folder = tempdir().unwrap();
        let home = Home::find_with(Some(folder.path().into())).unwrap();
        assert_eq!(home, Home::in_folder(folder.path()));
        assert!(home.builtin_dir().starts_with(folder.path()));
        assert!(
            Home::find_with(Some("relative".into()))
                .unwrap()
                .data_dir
                .is_absolute()
        );
        assert_eq!(
            Home::find_with(Some(OsString::new())),
            Home::find_with(None)
        );
    }
}
