//! MS414: `hashlib.sha256(f.read())`.

use super::ms408_readlines_iterated::opened;
use super::patterns::in_f_string;
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::Type;
use crate::syntax::{Expr, ExprCall, Ranged};
use crate::target::PythonVersion;

pub(super) const RULE: Rule = Rule {
    code: "MS414",
    name: "hash-of-read",
    what: "A whole file read to be hashed.",
    why: "A hash needs one block at a time; the file's whole content is in memory for it.",
    not_when: "Where a part of the file is read.",
    fix: "`hashlib.file_digest(f, 'sha256')` (Python 3.11), which reads block by block. Safe if `f` is \
          proven to be opened as bytes, to be read. Before 3.11: `update` with `iter(lambda: f.read(65536), b'')`.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import hashlib, tempfile\nf = tempfile.TemporaryFile()\nf.write(bytes(4_000_000))\nf.seek(0)\n",
        before: "digest = hashlib.sha256(f.read()).hexdigest()\n",
        after: "sha = hashlib.sha256()\nfor block in iter(lambda: f.read(65_536), b''):\n    sha.update(block)\ndigest = sha.hexdigest()\n",
        needs: &[],
    },
    on: &[On::Call(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, call: &'a ExprCall) {
    let Some(path) = cx.path(&call.func) else { return };
    let Some(name) = path.strip_prefix("hashlib.") else { return };
    let [Expr::Call(read)] = &*call.arguments.args else { return };
    let Expr::Attribute(method) = &*read.func else { return };
    let plain =
        matches!(name, "md5" | "sha1" | "sha224" | "sha256" | "sha384" | "sha512" | "blake2b" | "blake2s");
    if method.attr.as_str() != "read" || !read.arguments.is_empty() || !(plain || name == "new") {
        return;
    }
    let file = cx.type_of(&method.value);
    let mendable = plain
        && cx.python >= PythonVersion::minor(11)
        && call.arguments.keywords.is_empty()
        && !cx.has_comment(expr.range())
        && !in_f_string(cx, expr)
        && file.is_none_or(|known| known.ty != Type::TextFile);
    let fix = mendable.then(|| cx.reach("hashlib.file_digest", expr)).flatten().and_then(
        |(function, mut edits)| {
            let binary = file.is_some_and(|known| known.proven && known.ty == Type::BinaryFile);
            let proven = binary && opened(cx, &method.value).is_some_and(is_readable);
            edits.push(replace(expr.range(), format!("{function}({}, \"{name}\")", cx.text(&*method.value))));
            fix(
                proven,
                "hash it block by block",
                "it needs a file opened as bytes, and takes an `io.BytesIO` from its start",
                edits,
            )
        },
    );
    cx.found(expr, format!("`{}` has the whole file in memory to hash it", cx.brief(expr)), fix);
}

/// Whether a file is opened so that it can be read: where it cannot, the two fail in different ways.
fn is_readable(open: &ExprCall) -> bool {
    let mode = open.arguments.find_argument_value("mode", 1).and_then(Expr::as_string_literal_expr);
    mode.is_none_or(|mode| mode.value.chars().any(|c| matches!(c, 'r' | '+')))
}

#[cfg(test)]
mod tests {
    use crate::{Applicability, Options, PythonVersion, apply, check};

    fn fixed(text: &str) -> (Applicability, String) {
        let rules = vec![&super::RULE];
        let options = Options { rules, python: PythonVersion::minor(11), ..Options::default() };
        let findings = check(text, &options).unwrap();
        let mut fix = findings[0].fix.clone().unwrap();
        fix.edits.sort();
        (fix.applicability, apply(text, &fix.edits))
    }

    #[test]
    fn a_file_opened_as_bytes_is_hashed_block_by_block() {
        let text = "from hashlib import md5\nf = open(p, 'rb')\nmd5(f.read()).digest()\n";
        let after = "import hashlib\nfrom hashlib import md5\nf = open(p, 'rb')\n\
                     hashlib.file_digest(f, \"md5\").digest()\n";
        assert_eq!(fixed(text), (Applicability::Safe, after.to_owned()));
    }

    #[test]
    fn a_file_opened_to_be_written_fails_in_another_way() {
        let text = "import hashlib\nf = open(p, 'wb')\nhashlib.md5(f.read())\n";
        assert_eq!(fixed(text).0, Applicability::Unsafe);
    }

    #[test]
    fn in_the_braces_of_an_f_string_there_is_no_place_for_a_name_in_quotes() {
        let rules = vec![&super::RULE];
        let options = Options { rules, python: PythonVersion::minor(11), ..Options::default() };
        let text = "import hashlib\nf = open(p, 'rb')\ns = f\"{hashlib.md5(f.read())}\"\n";
        assert!(check(text, &options).unwrap()[0].fix.is_none());
    }

    #[test]
    fn what_is_not_known_to_be_a_file_may_be_a_buffer_that_is_hashed_from_its_start() {
        let text = "import hashlib\ndef f(source):\n    return hashlib.sha256(source.read())\n";
        let after = "import hashlib\ndef f(source):\n    return hashlib.file_digest(source, \"sha256\")\n";
        assert_eq!(fixed(text), (Applicability::Unsafe, after.to_owned()));
    }
}
