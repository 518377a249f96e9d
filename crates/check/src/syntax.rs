//! The one module that names the parser's crates.
//!
//! Their versions are pinned exactly, since their interface changes from one
//! release to the next: whoever moves them edits this file and those that the
//! compiler then names.

pub(crate) use ruff_python_ast::helpers::any_over_expr;
pub(crate) use ruff_python_ast::token::{TokenKind, Tokens};
pub(crate) use ruff_python_ast::visitor::{
    Visitor, walk_except_handler, walk_expr, walk_parameters, walk_pattern, walk_stmt, walk_type_params,
};
pub(crate) use ruff_python_ast::{
    AnyParameterRef, BoolOp, CmpOp, Comprehension, DictItem, ExceptHandler, Expr, ExprAttribute, ExprCall,
    ExprCompare, ExprContext, ExprSlice, ExprSubscript, HasNodeIndex, ModModule, Number, Operator,
    Parameters, Pattern, Stmt, StmtAugAssign, StmtClassDef, StmtFor, StmtFunctionDef, StmtWhile, TypeParam,
    TypeParams, UnaryOp,
};
pub(crate) use ruff_text_size::{Ranged, TextRange, TextSize};

use ruff_python_parser::lexer::lex;
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};

/// A parsed file.
pub(crate) struct Parsed {
    module: ModModule,
    tokens: Tokens,
}

impl Parsed {
    /// Its syntax tree.
    pub(crate) fn module(&self) -> &ModModule {
        &self.module
    }

    /// Its tokens, comments included, in the order of the text.
    pub(crate) fn tokens(&self) -> &Tokens {
        &self.tokens
    }
}

/// Why a text cannot be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// What is wrong.
    pub message: String,
    /// Where, as an offset in bytes.
    pub at: usize,
}

/// How deep a text may be nested: brackets, blocks, and operators in a row,
/// each of which is a level of the syntax tree. CPython's own parser gives up
/// at 200 brackets, 100 blocks, and some thousands of operators.
pub(crate) const MAX_DEPTH: u32 = 3_000;

/// The stack that walks of a tree of `MAX_DEPTH` levels are given, in bytes.
pub const STACK_BYTES: usize = 256 << 20;

/// A file that is no Python is told where it is wrong only up to this size.
const MAX_BROKEN_BYTES: usize = 1 << 20;

/// Parses a file, of which `notebook` says whether lines may be IPython's own
/// commands.
pub(crate) fn parse(text: &str, notebook: bool) -> Result<Parsed, Unreadable> {
    if text.len() >= u32::MAX as usize {
        return Err(Unreadable { message: "larger than 4 GB".into(), at: 0 });
    }
    let mode = if notebook { Mode::Ipython } else { Mode::Module };
    match survey(text, mode) {
        Survey::Good => {}
        Survey::TooDeep => {
            return Err(Unreadable { message: format!("nested more than {MAX_DEPTH} levels deep"), at: 0 });
        }
        // The parser notes an error for each of them, which for a large file of something else is a lot.
        Survey::NoToken if text.len() > MAX_BROKEN_BYTES => {
            return Err(Unreadable { message: "not Python: it has what begins no token".into(), at: 0 });
        }
        Survey::NoToken => {}
    }
    let parsed = parse_unchecked(text, ParseOptions::from(mode));
    if let Some(error) = parsed.errors().first() {
        return Err(Unreadable { message: error.error.to_string(), at: error.location.start().to_usize() });
    }
    let tokens = parsed.tokens().clone();
    let Some(module) = parsed.try_into_module() else {
        return Err(Unreadable { message: "not a module".into(), at: 0 });
    };
    Ok(Parsed { module: module.into_syntax(), tokens })
}

/// What a first look at a text's tokens came to.
enum Survey {
    Good,
    TooDeep,
    NoToken,
}

/// Looks at the tokens before anything is built of them: is the text nested deeper than [`MAX_DEPTH`]?
/// Counts too much rather than too little: every operator since the last comma is a level.
fn survey(text: &str, mode: Mode) -> Survey {
    let mut lexer = lex(text, mode);
    let mut open: Vec<u32> = Vec::new();
    let mut good = Survey::Good;
    let (mut blocks, mut here, mut around) = (0_u32, 0_u32, 0_u32);
    loop {
        let kind = lexer.next_token();
        match kind {
            TokenKind::EndOfFile => return good,
            TokenKind::Unknown => good = Survey::NoToken,
            TokenKind::Indent => blocks += 1,
            TokenKind::Dedent => blocks = blocks.saturating_sub(1),
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => {
                open.push(here);
                around += here + 1;
                here = 0;
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                if let Some(outer) = open.pop() {
                    around -= outer + 1;
                    // What was in the brackets is an operand: a call of a call is one level more.
                    here = outer + 1;
                }
            }
            TokenKind::Comma => here = 0,
            TokenKind::Newline | TokenKind::Semi => {
                open.clear();
                (here, around) = (0, 0);
            }
            _ if is_level(kind) => here += 1,
            _ => {}
        }
        if blocks + here + around > MAX_DEPTH {
            return Survey::TooDeep;
        }
    }
}

/// Whether a token makes an expression one level deeper.
fn is_level(kind: TokenKind) -> bool {
    kind.is_operator() && !matches!(kind, TokenKind::Colon | TokenKind::Rarrow)
        || matches!(
            kind,
            TokenKind::Not
                | TokenKind::Lambda
                | TokenKind::If
                | TokenKind::Else
                | TokenKind::Await
                | TokenKind::Yield
                | TokenKind::And
                | TokenKind::Or
                | TokenKind::In
                | TokenKind::Is
        )
}
