//! The workspace as `cargo metadata` describes it, its folders, and building it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// What `cargo metadata` says, as far as it is used here.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    /// The workspace's own packages.
    pub(crate) packages: Vec<Package>,
    /// The folder of `Cargo.toml`.
    pub(crate) workspace_root: PathBuf,
    /// Where cargo puts what it builds.
    pub(crate) target_directory: PathBuf,
}

/// A package of the workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    /// Its name, `memsight-capture`.
    pub(crate) name: String,
    /// Its own `Cargo.toml`.
    pub(crate) manifest_path: PathBuf,
    /// What it depends on, in the workspace and elsewhere.
    pub(crate) dependencies: Vec<Dependency>,
    /// What is built from it.
    pub(crate) targets: Vec<Target>,
}

/// A line of a package's `[dependencies]` or `[dev-dependencies]`.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The package's name.
    pub(crate) name: String,
    /// `dev` for what only tests need, `build`, or nothing.
    pub(crate) kind: Option<String>,
}

/// A library, program, test or build script of a package.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    /// `lib`, `cdylib`, `bin`, `test`, `custom-build` …
    pub(crate) kind: Vec<String>,
    /// Its first file.
    pub(crate) src_path: PathBuf,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn load() -> Result<Self> {
        let output = cargo()
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .output()
            .context("cannot run cargo")?;
        if !output.status.success() {
            bail!("cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr).trim_end());
        }
        serde_json::from_slice(&output.stdout).context("cargo metadata is not as expected")
    }

    /// The release build's folder: `memsight` and `libmemsight_preload.so` stand in it.
    pub(crate) fn release_folder(&self) -> PathBuf {
        self.target_directory.join("release")
    }

    /// Builds `memsight` and the library it preloads, for release.
    pub(crate) fn build_release(&self) -> Result<ReleaseBuild> {
        let status = cargo()
            .current_dir(&self.workspace_root)
            .args(["build", "--release", "-p", "memsight", "-p", "memsight-preload"])
            .status()
            .context("cannot run cargo")?;
        if !status.success() {
            bail!("cargo build --release failed ({status}); its messages are above");
        }
        let memsight = self.release_folder().join("memsight");
        for file in [&memsight, &self.release_folder().join("libmemsight_preload.so")] {
            if !file.is_file() {
                bail!("cargo build --release succeeded but did not make {}", file.display());
            }
        }
        Ok(ReleaseBuild { memsight })
    }
}

/// A release build that is there.
pub(crate) struct ReleaseBuild {
    /// The `memsight` binary.
    pub(crate) memsight: PathBuf,
}

/// The repository's folder.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// The cargo that runs this.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}
