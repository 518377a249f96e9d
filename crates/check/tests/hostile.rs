//! Texts that nobody would write: each is answered, and fixes come to an end with Python in their hands.

use memsight_check::{Applicability, Options, RULES, check, fix};
use proptest::prelude::*;

/// Pieces of which a generated text is made: what the rules look for, and what could confuse them.
const PIECES: &[&str] = &[
    "xs",
    "ys",
    "s",
    "d",
    "f",
    "self",
    "self.a",
    "x",
    "1",
    "0",
    "-1",
    "''",
    "b''",
    "[]",
    "{}",
    "()",
    "[1:]",
    "[:]",
    "[::-1]",
    "[0]",
    "(xs)",
    "sum(",
    "len(",
    "list(",
    "set(",
    "sorted(",
    "any(",
    "range(len(xs))",
    "join(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    ",",
    " = ",
    " += ",
    " + ",
    " for x in ",
    " if ",
    " else ",
    " in ",
    "lambda: ",
    "await ",
    "yield ",
    ":=",
    "\n",
    "\n    ",
    "\n        ",
    "def f(xs):",
    "class A:",
    "for x in xs:",
    "while xs:",
    "with open(f) as d:",
    "return ",
    "import itertools",
    "from x import *",
    "global s",
    "try:",
    "except E as e:",
    "finally:",
    "f.readlines()",
    ".append(x)",
    ".pop(0)",
    ".keys()",
    ".read()",
    ".split(',')",
    "print(",
    "# é\n",
    "f'{s}{x}'",
    "*",
    "**",
    "@cache\n",
    "async ",
    "match xs:",
    "case [x]:",
    ";",
    "\\\n",
    "\r\n",
    "\t",
    "é",
    "\u{feff}",
];

fn answered(text: &str) {
    let options = Options { rules: RULES.iter().collect(), ..Options::default() };
    let Ok(findings) = check(text, &options) else { return };
    for finding in &findings {
        assert!(text.get(finding.start..finding.end).is_some(), "{:?} in {text:?}", finding.rule.code);
    }
    let fixed = fix(text, &options, Applicability::Unsafe).expect("it was Python before");
    assert!(check(&fixed.text, &options).is_ok(), "{text:?} became {:?}", fixed.text);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        answered(&text);
    }

    #[test]
    fn pieces_of_python_in_any_order_are_answered(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)
    ) {
        answered(&pieces.concat());
    }

    #[test]
    fn statements_in_any_order_are_answered(
        lines in prop::collection::vec((0..3usize, prop::sample::select(LINES)), 0..25)
    ) {
        let mut text = String::from("def f(xs, ys, d, f, s):\n    xs = list(xs)\n");
        let mut depth = 1;
        for (dedent, line) in lines {
            depth = usize::max(1, depth - dedent.min(depth - 1));
            text.push_str(&"    ".repeat(depth));
            text.push_str(line);
            text.push('\n');
            if line.ends_with(':') {
                depth += 1;
                text.push_str(&"    ".repeat(depth));
                text.push_str("x = 1\n");
            }
        }
        answered(&text);
    }
}

const LINES: &[&str] = &[
    "for x in xs[1:]:",
    "for x in xs[:]:",
    "for x in list(xs):",
    "for i in range(len(xs)):",
    "while xs:",
    "for line in f.readlines():",
    "for k in list(d.keys()):",
    "if x in xs[2:]:",
    "with open(s) as f:",
    "if s:",
    "xs.append(x)",
    "xs.remove(x)",
    "xs = xs[1:]",
    "xs = xs + [x]",
    "s = s + t + s",
    "s += str(x)",
    "self.s += s",
    "d[x] = d[x] + s",
    "d = {**d, x: 1}",
    "ys = [y * 2 for y in xs]",
    "total = sum(ys)",
    "total = sum([y * 2 for y in xs])",
    "return max([len(y) for y in ys])",
    "print(xs[i])",
    "x = xs[i]",
    "first = sorted(xs)[:3]",
    "n = len([y for y in xs if y])",
    "a, b = xs[:i], xs[i:]",
    "f(a)",
    "del xs[0]",
    "q = []",
    "q.append(x)",
    "x = q.pop(0)",
    "ys.extend([y for y in xs])",
    "t = s.split(',')[0]",
    "yield x",
    "data = json.loads(f.read())",
    "lines = f.read().split('\\n')",
    "flags = [False] * len(xs)",
    "flags[i] = True",
    "q.insert(0, q.pop(0))",
    "q.append(q.pop(0))",
    "s = f'{set([y for y in xs])} {sum([y for y in xs])}'",
];

#[test]
fn a_name_made_of_a_part_of_itself_has_items_of_no_known_type() {
    let text = "def f(d):\n    def g():\n        ys = []\n        try:\n            for x in ys:\n                \
                ys.extend([xs.index(x) * 2 for x in list(d.keys())])\n            x = q.pop(0)\n        \
                finally:\n            xs = xs[-2:]\n";
    answered(text);
}
