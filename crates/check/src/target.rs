//! The Python versions that a project says it runs on.

use std::fmt;
use std::str::FromStr;

/// A version of CPython, `3.N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PythonVersion {
    /// The `N` of `3.N`.
    pub minor: u8,
}

impl PythonVersion {
    /// The oldest version that memsight knows.
    pub const OLDEST: Self = Self { minor: 9 };

    /// `3.minor`.
    pub const fn minor(minor: u8) -> Self {
        Self { minor }
    }

    /// The oldest version that a `requires-python` such as `>=3.10,<4` admits,
    /// by PEP 440; `None` where it names none.
    pub fn oldest_of(requires: &str) -> Option<Self> {
        requires
            .split(',')
            .filter_map(|clause| {
                let clause = clause.trim();
                let version = ["===", "==", "~=", ">=", ">"].iter().find_map(|op| clause.strip_prefix(op))?;
                version.trim().parse().ok()
            })
            .max()
    }
}

impl FromStr for PythonVersion {
    type Err = ();

    /// Takes `3.10`, `3.10.2`, `3.10.*`, and `py310`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let minor = match text.strip_prefix("py3") {
            Some(minor) => minor,
            None => {
                let rest = text.strip_prefix('3').ok_or(())?;
                match rest.strip_prefix('.') {
                    Some(rest) => rest.split('.').next().unwrap_or(rest),
                    None if rest.is_empty() => return Ok(Self::OLDEST),
                    None => return Err(()),
                }
            }
        };
        minor.parse().map(|minor| Self { minor }).map_err(|_| ())
    }
}

impl fmt::Display for PythonVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "3.{}", self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_version_is_the_highest_lower_bound() {
        let oldest = |text| PythonVersion::oldest_of(text).map(|version| version.minor);
        assert_eq!(oldest(">=3.10"), Some(10));
        assert_eq!(oldest(">= 3.9, != 3.9.1, < 4"), Some(9));
        assert_eq!(oldest("~=3.11.2"), Some(11));
        assert_eq!(oldest("==3.12.*"), Some(12));
        assert_eq!(oldest(">=2.7"), None);
        assert_eq!(oldest("nonsense"), None);
    }
}
