//! The text of a file: how it is decoded, where its lines are, and how it is written back.

mod notebook;

use std::io;
use std::path::{Path, PathBuf};

use notebook::Notebook;

/// A file that can be checked.
#[derive(Debug)]
pub(crate) struct Source {
    /// The Python in it.
    pub(crate) text: String,
    lines: Vec<usize>,
    form: Form,
}

/// What the file is besides its Python.
#[derive(Debug)]
enum Form {
    /// UTF-8, with a byte order mark or without.
    Utf8 { mark: bool },
    /// Latin-1, by its coding line (PEP 263).
    Latin1,
    /// A notebook of Jupyter.
    Notebook(Notebook),
}

/// A file that cannot be checked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}{}: {reason}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// The line, if there is one to name.
    pub line: Option<usize>,
    /// What is wrong.
    pub reason: String,
}

/// A place in a file, as editors count: from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The cell of a notebook.
    pub cell: Option<usize>,
    /// The line, in its cell if there is one.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// Larger files are no sources.
const MAX_BYTES: u64 = 256 << 20;

const MARK: &[u8] = b"\xef\xbb\xbf";

impl Source {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let problem = |reason: String| Problem { path: path.to_owned(), line: None, reason };
        let metadata = std::fs::metadata(path).map_err(|error| problem(reason_of(&error)))?;
        if metadata.len() > MAX_BYTES {
            return Err(problem(format!("larger than {} MB: not taken for a source", MAX_BYTES >> 20)));
        }
        let bytes = std::fs::read(path).map_err(|error| problem(reason_of(&error)))?;
        if path.extension().is_some_and(|extension| extension == "ipynb") {
            return Self::notebook(&bytes).map_err(problem);
        }
        Self::decode(bytes).map_err(problem)
    }

    fn notebook(bytes: &[u8]) -> Result<Self, String> {
        let (text, notebook) = Notebook::parse(bytes)?;
        Ok(Self { lines: line_starts(&text), text, form: Form::Notebook(notebook) })
    }

    /// Takes the bytes of a Python file.
    fn decode(bytes: Vec<u8>) -> Result<Self, String> {
        let (mark, bytes) = match bytes.strip_prefix(MARK) {
            Some(rest) => (true, rest.to_vec()),
            None => (false, bytes),
        };
        let (text, form) = match coding(&bytes).as_deref() {
            None | Some("utf8" | "utf8sig" | "ascii" | "usascii") => match String::from_utf8(bytes) {
                Ok(text) => (text, Form::Utf8 { mark }),
                Err(error) => {
                    let at = error.utf8_error().valid_up_to();
                    return Err(format!("not UTF-8 from byte {at} on, and no coding line says otherwise"));
                }
            },
            // Every byte is the character of its number.
            Some("latin1" | "iso88591" | "l1") => {
                (bytes.iter().map(|byte| char::from(*byte)).collect(), Form::Latin1)
            }
            Some(other) => {
                return Err(format!(
                    "its coding line names {other}, which is not read; UTF-8 and Latin-1 are"
                ));
            }
        };
        Ok(Self { lines: line_starts(&text), text, form })
    }

    /// Puts another text in its place.
    pub(crate) fn replace(&mut self, text: String) {
        self.lines = line_starts(&text);
        self.text = text;
    }

    /// Whether lines may be IPython's own commands.
    pub(crate) fn is_notebook(&self) -> bool {
        matches!(self.form, Form::Notebook(_))
    }

    /// Where an offset is.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines.get(line.wrapping_sub(1)).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        match &self.form {
            Form::Notebook(notebook) => {
                let (cell, line) = notebook.place(line);
                Position { cell: Some(cell), line, column }
            }
            _ => Position { cell: None, line, column },
        }
    }

    /// The line of the text that an offset is on, counted from 1 over all cells.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset)
    }

    /// A line of the text, without its line break.
    pub(crate) fn line(&self, line: usize) -> &str {
        let start =
            line.checked_sub(1).and_then(|index| self.lines.get(index)).copied().unwrap_or(self.text.len());
        let end = self.lines.get(line).copied().unwrap_or(self.text.len());
        self.text[start..end].trim_end_matches(['\n', '\r'])
    }

    /// The bytes of the file with another text in it.
    pub(crate) fn encode(&self, text: &str) -> Result<Vec<u8>, String> {
        match &self.form {
            Form::Utf8 { mark: false } => Ok(text.as_bytes().to_vec()),
            Form::Utf8 { mark: true } => Ok([MARK, text.as_bytes()].concat()),
            Form::Latin1 => text
                .chars()
                .map(|c| u8::try_from(u32::from(c)).map_err(|_| format!("{c} cannot be written in Latin-1")))
                .collect(),
            Form::Notebook(notebook) => notebook.encode(text),
        }
    }
}

fn reason_of(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".into(),
        io::ErrorKind::PermissionDenied => "may not be read".into(),
        _ => error.to_string(),
    }
}

/// Where lines start: after `\n`, and after a `\r` that has none behind it.
fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let breaks = bytes.iter().enumerate().filter(|(at, byte)| match byte {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect()
}

/// The encoding that one of the first two lines names, by PEP 263, without dashes.
fn coding(bytes: &[u8]) -> Option<String> {
    bytes.split(|byte| *byte == b'\n').take(2).find_map(|line| {
        let line = String::from_utf8_lossy(line);
        let comment = line.trim_start().strip_prefix('#')?;
        let rest = &comment[comment.find("coding")? + "coding".len()..];
        let name: String = rest
            .strip_prefix([':', '='])?
            .trim_start()
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
            .filter(|c| c.is_ascii_alphanumeric())
            .collect();
        (!name.is_empty()).then(|| name.to_ascii_lowercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_python_ends_them() {
        let source = Source::decode(b"a\r\nb\rc\nd".to_vec()).unwrap();
        let lines: Vec<_> = (1..=4).map(|line| source.line(line)).collect();
        assert_eq!(lines, ["a", "b", "c", "d"]);
        assert_eq!(source.position(5), Position { cell: None, line: 3, column: 1 });
    }

    #[test]
    fn what_is_read_is_written_back() {
        for bytes in [b"\xef\xbb\xbfx = 1\n".to_vec(), b"# coding: latin-1\nx = '\xe4'\n".to_vec()] {
            let source = Source::decode(bytes.clone()).unwrap();
            assert_eq!(source.encode(&source.text).unwrap(), bytes);
        }
    }

    #[test]
    fn an_encoding_that_is_not_known_is_an_error_that_names_it() {
        let error = Source::decode(b"# -*- coding: euc-jp -*-\n".to_vec()).unwrap_err();
        assert!(error.contains("eucjp"), "{error}");
        assert!(Source::decode(b"x = '\xff'\n".to_vec()).unwrap_err().contains("byte 5"));
    }
}
