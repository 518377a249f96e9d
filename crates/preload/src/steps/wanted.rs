//! What `memsight view` asks for: lines of `name=value` in one variable.

use crate::session::Path;
use crate::text::leading_number;

/// What was asked for.
pub(crate) struct Wanted {
    /// The program's file.
    pub(crate) program: Path,
    /// Files below this folder are the program's.
    pub(crate) root: Path,
    /// The same folder without links.
    pub(crate) real: Path,
    /// The most steps that are taken; 0 if no trace was asked for.
    pub(crate) max_steps: u32,
    /// The line of the program to begin at; 0 for the first.
    pub(crate) from: u32,
    /// The function whose calls are watched alone, if its name is not empty.
    pub(crate) function: Path,
    /// Whether what is not the program's is stepped into.
    pub(crate) into: bool,
}

impl Wanted {
    pub(crate) const fn nothing() -> Self {
        Wanted {
            program: Path::new(),
            root: Path::new(),
            real: Path::new(),
            max_steps: 0,
            from: 0,
            function: Path::new(),
            into: false,
        }
    }

    /// Reads what `memsight view` wrote.
    pub(crate) fn parse(&mut self, text: &[u8]) {
        for line in text.split(|&byte| byte == b'\n') {
            let Some(at) = line.iter().position(|&byte| byte == b'=') else { continue };
            let (name, value) = (&line[..at], &line[at + 1..]);
            let number = || leading_number(value).unwrap_or(0).min(u32::MAX.into()) as u32;
            match name {
                b"program" => drop(self.program.push(value)),
                b"root" => drop(self.root.push(value)),
                b"real" => drop(self.real.push(value)),
                b"steps" => self.max_steps = number(),
                b"from" => self.from = number(),
                b"function" => drop(self.function.push(value)),
                b"into" => self.into = value == b"1",
                _ => {}
            }
        }
    }

    /// Whether a file is one that is stepped through.
    pub(crate) fn is_own(&self, file: &[u8]) -> bool {
        if file.first() != Some(&b'/') {
            return false;
        }
        if self.into || file == self.program.as_bytes() {
            return true;
        }
        let is_below = |folder: &Path| {
            file.strip_prefix(folder.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'/'))
        };
        (is_below(&self.root) || is_below(&self.real))
            && !INSTALLED.iter().any(|folder| file.windows(folder.len()).any(|part| part == *folder))
    }
}

/// Folders of what was installed, also where they lie below the program's.
const INSTALLED: [&[u8]; 3] = [b"/site-packages/", b"/dist-packages/", b"/lib/python3."];
