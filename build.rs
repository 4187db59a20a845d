//! Gives the programs for Windows their icon, version and manifest. For other systems it does nothing.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(any(feature = "gui", feature = "cli"))]
    windows::add_resources()?;
    Ok(())
}

#[cfg(any(feature = "gui", feature = "cli"))]
mod windows {
    use std::env;
    use std::error::Error;
    use std::fs;
    use std::path::{Path, PathBuf};

    const ICON: &str = "assets/icons/cloakroom.ico";
    const MANIFEST: &str = "packaging/windows/resources/program.manifest";
    const RESOURCES: &str = "packaging/windows/resources/program.rc";

    /// Each program and what Windows calls it, in the list of processes for one.
    const PROGRAMS: [(&str, &str); 2] = [
        ("cloakroom", "Cloakroom"),
        ("cloak", "Cloakroom command line"),
    ];

    pub(crate) fn add_resources() -> Result<(), Box<dyn Error>> {
        for file in [ICON, MANIFEST, RESOURCES] {
            println!("cargo:rerun-if-changed={file}");
        }
        // The system that is built for. `cfg!(windows)` would be the one that builds.
        if env::var_os("CARGO_CFG_WINDOWS").is_none() {
            return Ok(());
        }
        let sources = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
        let out = PathBuf::from(env::var("OUT_DIR")?);
        let resources = fs::read_to_string(sources.join(RESOURCES))?;
        let manifest = fs::read_to_string(sources.join(MANIFEST))?;
        for (program, description) in PROGRAMS {
            let manifest_file = out.join(format!("{program}.manifest"));
            let resources_file = out.join(format!("{program}.rc"));
            let fill = |template: &str| -> Result<String, Box<dyn Error>> {
                Ok(fill_version(template)?
                    .replace("@PROGRAM@", program)
                    .replace("@DESCRIPTION@", description)
                    .replace("@ICON@", &with_slashes(&sources.join(ICON))?)
                    .replace("@MANIFEST@", &with_slashes(&manifest_file)?))
            };
            fs::write(&manifest_file, fill(&manifest)?)?;
            fs::write(&resources_file, fill(&resources)?)?;
            embed_resource::compile_for(&resources_file, [program], embed_resource::NONE)
                .manifest_required()?;
        }
        Ok(())
    }

    /// Puts the version in as text, and as the four numbers that Windows compares. What follows a hyphen is in the text alone.
    fn fill_version(template: &str) -> Result<String, env::VarError> {
        let numbers = [
            env::var("CARGO_PKG_VERSION_MAJOR")?,
            env::var("CARGO_PKG_VERSION_MINOR")?,
            env::var("CARGO_PKG_VERSION_PATCH")?,
            "0".to_owned(),
        ];
        Ok(template
            .replace("@VERSION@", &env::var("CARGO_PKG_VERSION")?)
            .replace("@VERSION_NUMBERS@", &numbers.join(","))
            .replace("@VERSION_DOTTED@", &numbers.join(".")))
    }

    /// A path as resource compilers take it: a backslash would begin an escape.
    fn with_slashes(path: &Path) -> Result<String, String> {
        path.to_str()
            .map(|path| path.replace('\\', "/"))
            .ok_or_else(|| format!("{} is not Unicode", path.display()))
    }
}
