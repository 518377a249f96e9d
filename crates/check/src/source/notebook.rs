//! Notebooks of Jupyter (nbformat 4): their cells of Python as one text, and back.
//!
//! The cells are joined with a comment between them that stands nowhere in the
//! notebook, and parted at it again. A cell that begins with `%%` is some other
//! language's and is left out.

use serde_json::Value;

/// What is needed to put the text back.
#[derive(Debug)]
pub(super) struct Notebook {
    /// The file as it was read, which another program may have laid out otherwise than it is written here.
    pub(super) bytes: Vec<u8>,
    json: Value,
    /// The cells in the text: their place in the notebook, and the line at which each begins.
    cells: Vec<(usize, usize)>,
    divider: String,
    indent: usize,
    ends_with_newline: bool,
}

impl Notebook {
    /// Reads a notebook; gives its Python and the rest.
    pub(super) fn parse(bytes: &[u8]) -> Result<(String, Self), String> {
        let raw = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
        let json: Value = serde_json::from_str(raw).map_err(|error| format!("not a notebook: {error}"))?;
        let list = json
            .get("cells")
            .and_then(Value::as_array)
            .ok_or("not a notebook of version 4: it has no cells")?;
        let mut divider = String::from("# --- cell ---");
        while raw.contains(divider.as_str()) {
            divider.push('-');
        }
        let mut text = String::new();
        let mut cells = Vec::new();
        let mut line = 1;
        for (index, cell) in list.iter().enumerate() {
            let code = (cell.get("cell_type").and_then(Value::as_str) == Some("code"))
                .then(|| source_of(cell))
                .flatten();
            let Some(code) = code.filter(|code| !code.trim_start().starts_with("%%")) else { continue };
            if !cells.is_empty() {
                text.push('\n');
                text.push_str(&divider);
                text.push('\n');
                line += 2;
            }
            cells.push((index, line));
            line += code.matches('\n').count();
            text.push_str(&code);
        }
        let indent = raw.lines().nth(1).map_or(1, |line| line.len() - line.trim_start().len());
        let bytes = bytes.to_vec();
        let notebook = Self { bytes, json, cells, divider, indent, ends_with_newline: raw.ends_with('\n') };
        Ok((text, notebook))
    }

    /// The number of the cell, from 1, and the line in it, of a line of the text.
    pub(super) fn place(&self, line: usize) -> (usize, usize) {
        let at = self.cells.partition_point(|(_, start)| *start <= line);
        let (cell, start) = self.cells.get(at.wrapping_sub(1)).copied().unwrap_or((0, 1));
        (cell + 1, line - start + 1)
    }

    /// The notebook with another text in its cells.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<u8>, String> {
        let between = format!("\n{}\n", self.divider);
        let parts: Vec<&str> = text.split(&between).collect();
        if parts.len() != self.cells.len() {
            return Err("the change would run over two cells".into());
        }
        let mut json = self.json.clone();
        for ((index, _), part) in self.cells.iter().zip(parts) {
            let cell = &mut json["cells"][*index];
            if source_of(cell).as_deref() == Some(part) {
                continue;
            }
            cell["source"] = match &cell["source"] {
                Value::String(_) => Value::String(part.to_owned()),
                _ => Value::Array(
                    part.split_inclusive('\n').map(|line| Value::String(line.to_owned())).collect(),
                ),
            };
        }
        let indent = " ".repeat(self.indent);
        let mut bytes = Vec::new();
        let style = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, style);
        serde::Serialize::serialize(&json, &mut serializer).map_err(|error| error.to_string())?;
        if self.ends_with_newline {
            bytes.push(b'\n');
        }
        Ok(bytes)
    }
}

/// The source of a cell, which is one string or a list of lines.
fn source_of(cell: &Value) -> Option<String> {
    match cell.get("source")? {
        Value::String(text) => Some(text.clone()),
        Value::Array(lines) => lines.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTEBOOK: &str = r##"{
 "cells": [
  {
   "cell_type": "markdown",
   "source": ["# Title\n"]
  },
  {
   "cell_type": "code",
   "source": ["%matplotlib inline\n", "xs = 1\n"]
  },
  {
   "cell_type": "code",
   "source": "%%bash\nls"
  },
  {
   "cell_type": "code",
   "source": "y = 2"
  }
 ],
 "nbformat": 4
}
"##;

    #[test]
    fn cells_become_one_text_and_lines_are_found_again() {
        let (text, notebook) = Notebook::parse(NOTEBOOK.as_bytes()).unwrap();
        assert_eq!(text, "%matplotlib inline\nxs = 1\n\n# --- cell ---\ny = 2");
        assert_eq!(notebook.place(2), (2, 2));
        assert_eq!(notebook.place(5), (4, 1));
    }

    #[test]
    fn a_changed_cell_is_put_back_in_its_own_form() {
        let (text, notebook) = Notebook::parse(NOTEBOOK.as_bytes()).unwrap();
        let same = notebook.encode(&text).unwrap();
        let (same, before): (Value, Value) =
            (serde_json::from_slice(&same).unwrap(), serde_json::from_str(NOTEBOOK).unwrap());
        assert_eq!(same, before);
        let changed = notebook.encode(&text.replace("y = 2", "y = 3")).unwrap();
        let changed: Value = serde_json::from_slice(&changed).unwrap();
        assert_eq!(changed["cells"][3]["source"], "y = 3");
        assert!(notebook.encode("y = 3").is_err());
    }
}
