//! What a rule is given: the model of a file, and a place to put its findings and fixes.

use std::ops::Deref;

use crate::finding::{Applicability, Edit, Finding, Fix};
use crate::model::Model;
use crate::rules::Rule;
use crate::syntax::{Expr, Ranged, Stmt, TextRange, TextSize};

/// A file being checked by a rule.
pub(crate) struct Context<'m, 'a> {
    model: &'m Model<'a>,
    rule: &'static Rule,
    findings: &'m mut Vec<Finding>,
}

impl<'a> Deref for Context<'_, 'a> {
    type Target = Model<'a>;

    fn deref(&self) -> &Model<'a> {
        self.model
    }
}

impl<'m, 'a> Context<'m, 'a> {
    /// A file, to be checked by one rule.
    pub(crate) fn new(model: &'m Model<'a>, rule: &'static Rule, findings: &'m mut Vec<Finding>) -> Self {
        Self { model, rule, findings }
    }

    /// Notes a finding that costs where it stands.
    pub(crate) fn found(&mut self, at: &impl Ranged, message: impl Into<String>, fix: Option<Fix>) {
        self.found_with_costs(at, message, fix, Vec::new());
    }

    /// Notes a finding that costs at other places.
    pub(crate) fn found_with_costs(
        &mut self,
        at: &impl Ranged,
        message: impl Into<String>,
        fix: Option<Fix>,
        costs_at: Vec<TextRange>,
    ) {
        let (start, end) = ends(at);
        self.findings.push(Finding {
            rule: self.rule,
            start,
            end,
            message: message.into(),
            fix,
            costs_at: costs_at.iter().map(ends).collect(),
        });
    }

    /// An expression's text in one line of at most some 40 characters, to be named in a message.
    pub(crate) fn brief(&self, of: &impl Ranged) -> String {
        let text = self.text(of);
        let mut brief = String::new();
        for word in text.split_whitespace() {
            if !brief.is_empty() {
                brief.push(' ');
            }
            brief.push_str(word);
            if brief.len() > 44 {
                let cut =
                    brief.char_indices().map(|(at, _)| at).take_while(|at| *at <= 40).last().unwrap_or(0);
                brief.truncate(cut);
                brief.push('…');
                break;
            }
        }
        brief
    }

    /// A name by which the file can reach something of the library, such as `itertools.islice`, in the
    /// scope of `user`; and the import that has to be added for it. `None` where the name is taken.
    pub(crate) fn reach(&self, path: &str, user: &Expr) -> Option<(String, Vec<Edit>)> {
        let at = self.id(user);
        let scope = self.node(at).scope;
        if let Some(name) = self.imported_as(path, scope, at) {
            return Some((name.to_owned(), Vec::new()));
        }
        let (module, name) = path.split_once('.')?;
        if let Some(module) = self.imported_as(module, scope, at) {
            return Some((format!("{module}.{name}"), Vec::new()));
        }
        if !self.is_free(module, scope) {
            return None;
        }
        Some((path.to_owned(), vec![self.import(module, user)?]))
    }

    /// The edit that adds `import module` before anything that a node of the file could need it for.
    fn import(&self, module: &str, user: &Expr) -> Option<Edit> {
        let body = &self.parsed.module().body;
        let user_at = self.id(user);
        let own = self.ancestors(user_at).last().and_then(|top| self.stmt(top))?;
        let newline = if self.source.contains("\r\n") { "\r\n" } else { "\n" };
        let line = format!("import {module}{newline}");
        let docstring = usize::from(matches!(
            body.first(),
            Some(Stmt::Expr(statement)) if statement.value.is_string_literal_expr()
        ));
        let is_future = |statement: &Stmt| matches!(statement, Stmt::ImportFrom(import) if import.module.as_deref() == Some("__future__"));
        let head = docstring + body[docstring..].iter().take_while(|statement| is_future(statement)).count();
        // The first run of imports, if it stands before the user.
        let run: Vec<&Stmt> = body[head..]
            .iter()
            .skip_while(|statement| !is_import(statement))
            .take_while(|statement| is_import(statement))
            .filter(|statement| statement.end() <= own.start())
            .collect();
        let name_of = |statement: &Stmt| match statement {
            Stmt::Import(import) => import.names.first().map(|alias| alias.name.as_str().to_owned()),
            _ => None,
        };
        let plain: Vec<&&Stmt> = run.iter().filter(|statement| statement.is_import_stmt()).collect();
        let at = if let Some(after) =
            plain.iter().find(|statement| name_of(statement).as_deref() > Some(module))
        {
            self.whole_start(after)?
        } else if let Some(last) = plain.last() {
            self.line_after(last)?
        } else if let Some(first) = run.first() {
            self.whole_start(first)?
        } else if head > 0 {
            let at = self.line_after(&body[head - 1])?.to_usize();
            return Some(Edit { start: at, end: at, text: format!("{newline}{line}") });
        } else {
            let at = self.whole_start(body.first()?)?.to_usize();
            return Some(Edit { start: at, end: at, text: format!("{line}{newline}") });
        };
        Some(Edit { start: at.to_usize(), end: at.to_usize(), text: line })
    }

    /// The start of a statement's line, if nothing but white space precedes it there.
    fn whole_start(&self, statement: &Stmt) -> Option<TextSize> {
        let indent = self.indent(statement)?;
        // A decorator or a comment above stays where it is.
        Some(statement.start() - TextSize::of(indent))
    }

    /// The start of the line after a statement's last.
    fn line_after(&self, statement: &Stmt) -> Option<TextSize> {
        let rest = &self.source[statement.end().to_usize()..];
        let end = rest.find('\n')? + 1;
        // A second statement on the same line would be cut off from it.
        let comment_only = rest[..end].trim().is_empty() || rest[..end].trim_start().starts_with('#');
        comment_only.then(|| statement.end() + TextSize::try_from(end).unwrap_or_default())
    }
}

fn is_import(statement: &Stmt) -> bool {
    matches!(statement, Stmt::Import(_) | Stmt::ImportFrom(_))
}

fn ends(of: &impl Ranged) -> (usize, usize) {
    (of.start().to_usize(), of.end().to_usize())
}

/// A replacement of something by a text.
pub(crate) fn replace(range: TextRange, text: impl Into<String>) -> Edit {
    Edit { start: range.start().to_usize(), end: range.end().to_usize(), text: text.into() }
}

/// A fix, safe if `proven`; `doubt` says what could differ if it is not.
pub(crate) fn fix(proven: bool, message: impl Into<String>, doubt: &str, edits: Vec<Edit>) -> Option<Fix> {
    let mut message = message.into();
    let applicability = if proven { Applicability::Safe } else { Applicability::Unsafe };
    if !proven {
        message.push_str("; unsafe: ");
        message.push_str(doubt);
    }
    Some(Fix { applicability, message, edits })
}
