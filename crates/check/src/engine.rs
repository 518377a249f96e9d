//! One text through all rules, and its fixes applied until there are none left.

use crate::context::Context;
use crate::finding::{Applicability, Edit, Finding};
use crate::model::{Ast, Model, Region};
use crate::rules::{Iterated, On, RULES, Rule};
use crate::suppress;
use crate::syntax::{self, Expr, Stmt, Unreadable};
use crate::target::PythonVersion;

/// How a text is checked.
#[derive(Clone, Debug)]
pub struct Options {
    /// The rules to go by.
    pub rules: Vec<&'static Rule>,
    /// The oldest Python that the code runs on: no fix uses what it lacks.
    pub python: PythonVersion,
    /// Whether lines may be IPython's own commands.
    pub notebook: bool,
}

impl Default for Options {
    /// Every rule, for the oldest Python.
    fn default() -> Self {
        Self { rules: RULES.iter().collect(), python: PythonVersion::OLDEST, notebook: false }
    }
}

/// Finds what the rules have to say about a text, in the order of the text.
///
/// # Errors
/// If it is not Python, with what is wrong and where.
pub fn check(text: &str, options: &Options) -> Result<Vec<Finding>, Unreadable> {
    let parsed = syntax::parse(text, options.notebook)?;
    let model = Model::new(text, &parsed, options.python);
    if let Some((name, at)) = model.crowded() {
        let message = format!("`{name}` is used so often that a program must have written this");
        return Err(Unreadable { message, at: model.range(at).start().into() });
    }
    let mut findings = Vec::new();
    let dispatch = Dispatch::new(&options.rules);
    dispatch.run(&model, &mut findings);
    suppress::drop_ignored(text, parsed.tokens(), &mut findings);
    findings.sort_by(|one, other| {
        (one.start, one.end, one.rule.code).cmp(&(other.start, other.end, other.rule.code))
    });
    Ok(findings)
}

/// A text with its fixes applied.
#[derive(Debug)]
pub struct Fixed {
    /// The new text.
    pub text: String,
    /// How many fixes were applied.
    pub applied: usize,
    /// What is still found in it.
    pub left: Vec<Finding>,
}

/// The most rounds of fixes: each one can make the next possible, but none can go on for ever.
const MAX_ROUNDS: usize = 20;

/// Applies fixes up to an applicability until none is left.
///
/// # Errors
/// If the text is not Python.
pub fn fix(text: &str, options: &Options, up_to: Applicability) -> Result<Fixed, Unreadable> {
    let mut text = text.to_owned();
    let mut applied = 0;
    let mut findings = check(&text, options)?;
    for _ in 0..MAX_ROUNDS {
        let wanted: Vec<&Finding> = findings
            .iter()
            .filter(|finding| finding.fix.as_ref().is_some_and(|fix| fix.applicability <= up_to))
            .collect();
        if wanted.is_empty() {
            break;
        }
        let (next, count, found) = round(&text, &wanted, options)?;
        if count == 0 {
            break;
        }
        (text, findings) = (next, found);
        applied += count;
    }
    Ok(Fixed { text, applied, left: findings })
}

/// Applies as many of the fixes as don't overlap. Where together they make a text that is no longer
/// Python, or that has more to find, each is tried alone and only good ones stay.
fn round(
    text: &str,
    wanted: &[&Finding],
    options: &Options,
) -> Result<(String, usize, Vec<Finding>), Unreadable> {
    let before = check(text, options)?;
    let better = |found: &[Finding]| found.len() < before.len();
    let (edits, count) = merge(wanted);
    let next = apply(text, &edits);
    if let Ok(found) = check(&next, options)
        && better(&found)
    {
        return Ok((next, count, found));
    }
    for finding in wanted {
        let (edits, _) = merge(&[finding]);
        let next = apply(text, &edits);
        if let Ok(found) = check(&next, options)
            && better(&found)
        {
            return Ok((next, 1, found));
        }
    }
    Ok((text.to_owned(), 0, before))
}

/// The edits of those findings that don't get in each other's way, in the order of the text.
pub(crate) fn merge(findings: &[&Finding]) -> (Vec<Edit>, usize) {
    let mut taken: Vec<Edit> = Vec::new();
    let mut count = 0;
    for finding in findings {
        let Some(fix) = &finding.fix else { continue };
        let clear = fix.edits.iter().all(|edit| {
            taken.iter().all(|other| {
                edit == other && edit.start == edit.end
                    || edit.end < other.start
                    || other.end < edit.start
                    || (edit.end == other.start || other.end == edit.start) && edit.start != other.start
            })
        });
        if clear {
            for edit in &fix.edits {
                if !taken.contains(edit) {
                    taken.push(edit.clone());
                }
            }
            count += 1;
        }
    }
    taken.sort();
    (taken, count)
}

/// A text with edits made, which are in order and don't overlap.
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for edit in edits {
        out.push_str(&text[at..edit.start]);
        out.push_str(&edit.text);
        at = edit.end;
    }
    out.push_str(&text[at..]);
    out
}

/// The rules by what they look at, so that a node is shown only to those that care.
struct Dispatch {
    rules: Vec<(&'static Rule, &'static On)>,
}

impl Dispatch {
    fn new(rules: &[&'static Rule]) -> Self {
        Self { rules: rules.iter().flat_map(|rule| rule.on.iter().map(|on| (*rule, on))).collect() }
    }

    fn run<'a>(&self, model: &Model<'a>, findings: &mut Vec<Finding>) {
        let mut calls = Vec::new();
        let mut subscripts = Vec::new();
        let mut iterated = Vec::new();
        let mut statements = Vec::new();
        for id in model.ids() {
            match model.node(id).ast {
                Ast::Expr(expr @ Expr::Call(call)) => calls.push((expr, call)),
                Ast::Expr(expr @ Expr::Subscript(subscript)) => subscripts.push((expr, subscript)),
                Ast::Expr(expr) => {
                    let Some(generators) = crate::model::comprehension(expr) else { continue };
                    iterated.extend(generators.iter().filter(|generator| !generator.is_async).map(
                        |generator| {
                            let body = model.region_of(id);
                            Iterated {
                                iter: &generator.iter,
                                target: &generator.target,
                                body,
                                statement: None,
                            }
                        },
                    ));
                }
                Ast::Stmt(statement) => {
                    statements.push(statement);
                    if let Stmt::For(it) = statement
                        && !it.is_async
                    {
                        // A target such as `xs[0]` is changed between two items as well.
                        let body = Region { from: model.id(&*it.target), to: model.region(&it.body).to };
                        iterated.push(Iterated {
                            iter: &it.iter,
                            target: &it.target,
                            body,
                            statement: Some(it),
                        });
                    }
                }
                Ast::Module => {}
            }
        }
        for (rule, on) in &self.rules {
            let mut context = Context::new(model, rule, findings);
            match on {
                On::File(check) => check(&mut context),
                On::Call(check) => calls.iter().for_each(|(expr, call)| check(&mut context, expr, call)),
                On::Subscript(check) => {
                    subscripts.iter().for_each(|(expr, subscript)| check(&mut context, expr, subscript));
                }
                On::Iterated(check) => iterated.iter().for_each(|it| check(&mut context, *it)),
                On::Statement(check) => {
                    statements.iter().for_each(|statement| check(&mut context, statement))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: usize, end: usize, text: &str) -> Edit {
        Edit { start, end, text: text.into() }
    }

    #[test]
    fn edits_are_made_from_left_to_right() {
        assert_eq!(apply("abcdef", &[edit(0, 1, "X"), edit(2, 2, "-"), edit(4, 6, "")]), "Xb-cd");
    }

    #[test]
    fn what_is_not_python_is_an_error_that_says_where() {
        let error = check("x = (\n", &Options::default()).unwrap_err();
        assert!(error.at >= 4, "{error:?}");
    }
}
