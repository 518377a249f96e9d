//! What `pyproject.toml` says: `[tool.memsight]`, and the Python that the project needs.
//!
//! The file nearest above a source counts, as with other tools. Nothing in it is run.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::files::is_pattern;
use crate::rules::{RULES, Rule};
use crate::source::Problem;
use crate::target::PythonVersion;

/// What one `pyproject.toml` says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    /// The folder it stands in.
    pub(crate) folder: PathBuf,
    /// Codes to go by; all rules if there are none.
    pub(crate) select: Vec<String>,
    /// Codes to leave out.
    pub(crate) ignore: Vec<String>,
    /// Codes to leave out in files whose path, from the folder, matches a pattern.
    pub(crate) per_file_ignores: Vec<(String, Vec<String>)>,
    /// Patterns of paths to leave out.
    pub(crate) exclude: Vec<String>,
    /// The oldest Python that the project runs on.
    pub(crate) python: Option<PythonVersion>,
}

#[derive(Deserialize)]
struct File {
    project: Option<Project>,
    tool: Option<Tool>,
}

#[derive(Deserialize)]
struct Project {
    #[serde(rename = "requires-python")]
    requires_python: Option<String>,
}

#[derive(Deserialize)]
struct Tool {
    memsight: Option<Table>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Table {
    #[serde(default)]
    select: Vec<String>,
    #[serde(default)]
    ignore: Vec<String>,
    #[serde(default)]
    per_file_ignores: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    exclude: Vec<String>,
    target_version: Option<String>,
    /// The budget of `memsight run`.
    #[serde(rename = "budget")]
    _budget: Option<toml::Value>,
}

impl Config {
    /// Reads a `pyproject.toml`; `None` if it is not about a project and has no table of memsight's.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Problem> {
        let problem = |reason: String| Problem { path: path.to_owned(), line: None, reason };
        let text = std::fs::read_to_string(path).map_err(|error| problem(error.to_string()))?;
        let file: File =
            toml::from_str(&text).map_err(|error| problem(error.to_string().trim().to_owned()))?;
        if file.project.is_none() && file.tool.as_ref().is_none_or(|tool| tool.memsight.is_none()) {
            return Ok(None);
        }
        let requires = file.project.and_then(|project| project.requires_python);
        let table = file.tool.and_then(|tool| tool.memsight).unwrap_or_default();
        let codes = table.select.iter().chain(&table.ignore).chain(table.per_file_ignores.values().flatten());
        for code in codes {
            matching(code).map_err(&problem)?;
        }
        let patterns = table.exclude.iter().map(|pattern| ("exclude", pattern));
        let of_files = table.per_file_ignores.keys().map(|pattern| ("per-file-ignores", pattern));
        for (key, pattern) in patterns.chain(of_files) {
            is_pattern(pattern).map_err(|error| problem(format!("{key}: {error}")))?;
        }
        let target = match &table.target_version {
            None => None,
            Some(text) => {
                let version = text
                    .parse()
                    .map_err(|()| problem(format!("target-version {text}: not like \"3.11\"")))?;
                Some(version)
            }
        };
        Ok(Some(Self {
            folder: path.parent().unwrap_or(Path::new("")).to_owned(),
            select: table.select,
            ignore: table.ignore,
            per_file_ignores: table.per_file_ignores.into_iter().collect(),
            exclude: table.exclude,
            python: target.or_else(|| requires.as_deref().and_then(PythonVersion::oldest_of)),
        }))
    }

    /// The rules that this file says to go by.
    pub(crate) fn rules(&self) -> Vec<&'static Rule> {
        let select = if self.select.is_empty() { vec!["ALL".to_owned()] } else { self.select.clone() };
        RULES.iter().filter(|rule| names(&select, rule) && !names(&self.ignore, rule)).collect()
    }
}

/// Whether one of some codes means a rule: the code, its beginning, its name, or `ALL`.
pub(crate) fn names(codes: &[String], rule: &Rule) -> bool {
    codes.iter().any(|code| means(code, rule))
}

fn means(code: &str, rule: &Rule) -> bool {
    code.eq_ignore_ascii_case("all")
        || rule.name == code
        || !code.is_empty()
            && rule.code.get(..code.len()).is_some_and(|start| start.eq_ignore_ascii_case(code))
}

/// The rules that a code means.
///
/// # Errors
/// If there are none, with what to do.
pub fn matching(code: &str) -> Result<Vec<&'static Rule>, String> {
    let rules: Vec<_> = RULES.iter().filter(|rule| means(code, rule)).collect();
    if code.is_empty() {
        return Err("a code is empty; `memsight explain` lists them".into());
    }
    if rules.is_empty() {
        return Err(format!("{code}: no rule has this code; `memsight explain` lists them"));
    }
    Ok(rules)
}

/// Finds the configuration of a folder, each file read once.
#[derive(Debug, Default)]
pub(crate) struct Configs {
    known: HashMap<PathBuf, Option<Config>>,
}

impl Configs {
    /// The nearest configuration at or above a folder.
    pub(crate) fn of(&mut self, folder: &Path) -> Result<Option<Config>, Problem> {
        if let Some(known) = self.known.get(folder) {
            return Ok(known.clone());
        }
        let own = folder.join("pyproject.toml");
        let mut found = if own.is_file() { Config::read(&own)? } else { None };
        if found.is_none()
            && let Some(above) = folder.parent()
        {
            found = self.of(above)?;
        }
        self.known.insert(folder.to_owned(), found.clone());
        Ok(found)
    }
}
