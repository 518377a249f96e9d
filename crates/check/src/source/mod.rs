//! The text of a file: how it is decoded, where its lines are, and how it is written back.

mod coding;
mod lines;
mod notebook;

use std::io;
use std::path::{Path, PathBuf};

use coding::Coding;
use lines::Lines;
use notebook::Notebook;

/// A file that can be checked.
#[derive(Debug)]
pub(crate) struct Source {
    /// The Python in it.
    pub(crate) text: String,
    lines: Lines,
    form: Form,
}

/// What the file is besides its Python.
#[derive(Debug)]
enum Form {
    /// A file of Python.
    File(Coding),
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

impl Source {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let problem = |reason: String| Problem { path: path.to_owned(), line: None, reason };
        let metadata = std::fs::metadata(path).map_err(|error| problem(reason_of(&error)))?;
        if metadata.len() > MAX_BYTES {
            return Err(problem(format!("larger than {} MB: not taken for a source", MAX_BYTES >> 20)));
        }
        let bytes = std::fs::read(path).map_err(|error| problem(reason_of(&error)))?;
        Self::of(path, bytes)
    }

    /// Takes the bytes of the file of this name.
    pub(crate) fn of(path: &Path, bytes: Vec<u8>) -> Result<Self, Problem> {
        let problem = |reason: String| Problem { path: path.to_owned(), line: None, reason };
        if path.extension().is_some_and(|extension| extension == "ipynb") {
            return Self::notebook(&bytes).map_err(problem);
        }
        let (text, coding) = Coding::decode(bytes).map_err(problem)?;
        Ok(Self { lines: Lines::new(&text), text, form: Form::File(coding) })
    }

    fn notebook(bytes: &[u8]) -> Result<Self, String> {
        let (text, notebook) = Notebook::parse(bytes)?;
        Ok(Self { lines: Lines::new(&text), text, form: Form::Notebook(notebook) })
    }

    /// Puts another text in its place.
    pub(crate) fn replace(&mut self, text: String) {
        self.lines = Lines::new(&text);
        self.text = text;
    }

    /// Whether lines may be IPython's own commands.
    pub(crate) fn is_notebook(&self) -> bool {
        matches!(self.form, Form::Notebook(_))
    }

    /// Where an offset is.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let line = self.line_of(offset);
        let column = self.lines.characters_before(&self.text, offset) + 1;
        match &self.form {
            Form::Notebook(notebook) => {
                let (cell, line) = notebook.place(line);
                Position { cell: Some(cell), line, column }
            }
            Form::File(_) => Position { cell: None, line, column },
        }
    }

    /// The line of the text that an offset is on, counted from 1 over all cells.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        self.lines.line_of(offset)
    }

    /// The line that an offset is on, or the part of a long one around it, and how many characters
    /// were left out before it.
    pub(crate) fn shown(&self, offset: usize) -> (&str, usize) {
        self.lines.shown(&self.text, offset)
    }

    /// Where the lines of the text begin.
    pub(crate) fn line_starts(&self) -> &[usize] {
        self.lines.starts()
    }

    /// The bytes of the file as it was read.
    pub(crate) fn original(&self) -> Result<Vec<u8>, String> {
        match &self.form {
            Form::File(coding) => coding.encode(&self.text),
            Form::Notebook(notebook) => Ok(notebook.bytes.clone()),
        }
    }

    /// The bytes of the file with another text in it.
    pub(crate) fn encode(&self, text: &str) -> Result<Vec<u8>, String> {
        match &self.form {
            Form::File(coding) => coding.encode(text),
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
