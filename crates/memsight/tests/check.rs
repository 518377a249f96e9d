//! `memsight check` as its users and their tools meet it: forms of output, configuration, fixes,
//! evidence from a recorded run, and files that mean no good.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

mod support;

/// Copies that a loop goes over: one provably a list, one not.
const WASTEFUL: &str = "\
def first():
    xs = list(range(9999))
    xs.append(1)
    return sum([x * 2 for x in xs])


def second(xs: list):
    total = 0
    for x in xs[1:]:
        total += x
    return total


print(first(), second([1, 2, 3]))
";

fn check(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(support::memsight());
    command.arg("check").args(arguments).current_dir(folder).stdin(Stdio::null());
    command.env("COLUMNS", "80").env_remove("NO_COLOR").output().expect("memsight can be run")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("it writes UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder with files in it.
fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

/// The findings as `path code line`.
fn found(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let output = check(folder, &[arguments, &["--output-format", "json"]].concat());
    let json: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    let findings = json["findings"].as_array().expect("a list");
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    findings.iter().map(|it| format!("{} {} {}", text(it, "path"), text(it, "code"), it["line"])).collect()
}

#[test]
fn findings_come_with_their_line_a_caret_and_the_exit_code_one() {
    let folder = project(&[("a.py", WASTEFUL)]);
    let output = check(folder.path(), &["a.py"]);
    let said = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("a.py:4:16 MS401"), "{said}");
    assert!(said.contains("4 | return sum([x * 2 for x in xs])\n    |            ^^^^^^"), "{said}");
    assert!(said.contains("2 findings in 1 file."), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    let quiet = check(folder.path(), &["--exit-zero", "a.py"]);
    assert_eq!(quiet.status.code(), Some(0));
}

#[test]
fn all_five_practices_are_found_in_the_example_that_has_them() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/five_practices.py");
    let text = std::fs::read_to_string(&example).unwrap();
    let folder = project(&[("five.py", &text)]);
    let found = found(folder.path(), &["five.py"]);
    // The lines of each practice are those below its heading.
    let heading =
        |practice: usize| text.lines().position(|line| line.contains(&format!("# Practice {practice}:")));
    let starts: Vec<usize> = (1..=5).map(|practice| heading(practice).expect("its heading")).collect();
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(usize::MAX);
        let family = format!(" MS{}", index + 1);
        let of = |finding: &&String| {
            let line: usize = finding.rsplit(' ').next().and_then(|line| line.parse().ok()).unwrap_or(0);
            (start + 1..end).contains(&line)
        };
        let here: Vec<_> = found.iter().filter(of).collect();
        assert!(here.iter().any(|finding| finding.contains(&family)), "practice {}: {here:?}", index + 1);
    }
}

#[test]
fn a_clean_project_is_exit_code_zero() {
    let folder = project(&[("a.py", "print(sum(x for x in range(3)))\n")]);
    let output = check(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stdout(&output), "Nothing found in 1 file.\n");
}

#[test]
fn wrong_usage_is_exit_code_two_and_names_what_is_wrong() {
    let folder = project(&[("a.py", WASTEFUL), ("bad/pyproject.toml", "[tool.memsight]\nselct = ['MS1']\n")]);
    for (arguments, word) in [
        (&["nowhere.py"][..], "nowhere.py"),
        (&["--select", "MS9"], "MS9"),
        (&["--ignore", "E501"], "E501"),
        (&["--output-format", "xml"], "xml"),
        (&["--capture", "a.py", "a.py"], "a.py"),
        (&["bad"], "selct"),
    ] {
        let output = check(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(word), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn the_keys_of_json_are_those_of_the_contract() {
    let folder = project(&[("a.py", WASTEFUL)]);
    let output = check(folder.path(), &["a.py", "--output-format", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((json["schema_version"].as_i64(), json["files"].as_i64()), (Some(1), Some(1)));
    let finding = &json["findings"][0];
    let keys: Vec<_> = finding.as_object().expect("an object").keys().map(String::as_str).collect();
    let wanted =
        ["code", "name", "path", "line", "column", "end_line", "end_column", "message", "fix", "evidence"];
    assert_eq!(keys, wanted);
    assert_eq!(finding["fix"]["applicability"], "safe");
    assert!(finding["evidence"].is_null());
    // The edits are offsets in bytes of the file as it is.
    let mut text = WASTEFUL.to_owned();
    let edits = finding["fix"]["edits"].as_array().expect("a list");
    for edit in edits.iter().rev() {
        let at = |key: &str| edit[key].as_u64().expect("a number") as usize;
        text.replace_range(at("start")..at("end"), edit["text"].as_str().expect("a text"));
    }
    assert!(text.contains("return sum(x * 2 for x in xs)"), "{text}");
}

#[test]
fn other_tools_get_their_own_forms() {
    let folder = project(&[("a b.py", WASTEFUL)]);
    let form = |form| stdout(&check(folder.path(), &["a b.py", "--output-format", form]));
    assert!(
        form("github").starts_with("::warning file=a b.py,line=4,endLine=4,col=16,"),
        "{}",
        form("github")
    );
    let sarif: Value = serde_json::from_str(&form("sarif")).expect("JSON");
    assert_eq!(sarif["version"], "2.1.0");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "MS401");
    assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "a%20b.py");
    let junit = form("junit");
    assert!(junit.contains("<testsuites name=\"memsight\" tests=\"2\" failures=\"2\">"), "{junit}");
    assert!(junit.contains("line=\"4\""), "{junit}");
}

#[test]
fn configuration_and_comments_leave_findings_out() {
    let silenced = WASTEFUL.replace("for x in xs])", "for x in xs])  # memsight: ignore[MS401]");
    let folder = project(&[
        (
            "pyproject.toml",
            "[tool.memsight]\nignore = ['MS402']\nexclude = ['gen/']\nbudget = '1GB'\n[tool.memsight.per-file-ignores]\n'tests/*' = ['MS1']\n",
        ),
        ("a.py", WASTEFUL),
        ("quiet.py", &silenced),
        ("tests/t.py", WASTEFUL),
        ("gen/g.py", WASTEFUL),
        ("skipped/s.py", WASTEFUL),
        (".gitignore", "skipped/\n"),
        (".venv/lib.py", WASTEFUL),
        ("notes.txt", WASTEFUL),
    ]);
    let wanted = ["a.py MS401 4", "a.py MS101 9", "quiet.py MS101 9", "tests/t.py MS401 4"];
    assert_eq!(found(folder.path(), &[]), wanted);
    // What is named is checked, whatever leaves it out otherwise.
    assert_eq!(found(folder.path(), &["skipped/s.py", "--select", "MS4"]), ["skipped/s.py MS401 4"]);
    assert_eq!(found(folder.path(), &["a.py", "--ignore", "slice-copied-to-iterate"]), ["a.py MS401 4"]);
}

#[test]
fn a_pattern_that_is_none_is_said_with_its_key_and_file() {
    for (key, line) in
        [("exclude", "exclude = ['[a']"), ("per-file-ignores", "per-file-ignores = {'[a' = ['MS1']}")]
    {
        let text = format!("[tool.memsight]\n{line}\n");
        let folder = project(&[("a.py", WASTEFUL), ("pyproject.toml", &text)]);
        let output = check(folder.path(), &[]);
        assert_eq!(output.status.code(), Some(2), "{key}");
        let said = stderr(&output);
        assert!(said.contains("pyproject.toml") && said.contains(key) && said.contains("'[a'"), "{said}");
    }
}

#[test]
fn the_next_steps_are_for_what_was_asked_for() {
    let folder = project(&[("src/a b.py", WASTEFUL), ("empty/notes.txt", "")]);
    let said = stdout(&check(folder.path(), &["src", "--select", "MS4"]));
    assert!(said.contains("memsight check --fix --select MS4 src"), "{said}");
    assert!(said.contains("memsight prove --select MS4 src -- COMMAND"), "{said}");
    let said = stdout(&check(folder.path(), &["src/a b.py"]));
    assert!(said.contains("memsight check --fix 'src/a b.py'"), "{said}");
    let said = stdout(&check(folder.path(), &["empty"]));
    assert!(said.contains("no Python files"), "{said}");
}

#[test]
fn what_is_no_file_is_not_read() {
    let folder = project(&[]);
    let output = check(folder.path(), &["/dev/zero"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("/dev/zero: is a device"), "{}", stderr(&output));
}

#[test]
fn a_diff_says_what_could_not_be_checked() {
    let folder = project(&[("a.py", "x = 1\n"), ("b.py", "x = (\n")]);
    assert_eq!(check(folder.path(), &["--diff"]).status.code(), Some(2));
    let both = check(folder.path(), &["--diff", "--output-format", "json"]);
    assert!(both.status.code() == Some(2) && both.stdout.is_empty(), "{}", stderr(&both));
}

#[test]
fn fixes_are_written_shown_or_left_as_asked() {
    let folder = project(&[("a.py", WASTEFUL)]);
    let path = folder.path().join("a.py");
    let shown = check(folder.path(), &["--diff", "a.py"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), WASTEFUL);
    assert!(stdout(&shown).contains("+    return sum(x * 2 for x in xs)"), "{}", stdout(&shown));
    check(folder.path(), &["--fix", "a.py"]);
    let safe = std::fs::read_to_string(&path).unwrap();
    assert_eq!(safe, WASTEFUL.replace("[x * 2 for x in xs]", "x * 2 for x in xs"));
    let all = check(folder.path(), &["--fix", "--unsafe-fixes", "a.py"]);
    let fixed = std::fs::read_to_string(&path).unwrap();
    assert!(fixed.starts_with("import itertools\n\n"), "{fixed}");
    assert!(fixed.contains("for x in itertools.islice(xs, 1, None):"), "{fixed}");
    assert_eq!(all.status.code(), Some(0), "{}", stdout(&all));
}

#[test]
fn a_fix_keeps_encoding_line_ends_permissions_and_links() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = project(&[]);
    let path = folder.path().join("real.py");
    let text =
        b"# coding: koi8-r\r\nxs = sorted(range(9999))\r\nprint('\xc1', xs, sum([x for x in xs if x]))\r\n";
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o750)).unwrap();
    symlink(&path, folder.path().join("link.py")).unwrap();
    check(folder.path(), &["--fix", "link.py"]);
    let fixed = std::fs::read(&path).unwrap();
    let wanted =
        b"# coding: koi8-r\r\nxs = sorted(range(9999))\r\nprint('\xc1', xs, sum(x for x in xs if x))\r\n";
    assert_eq!(fixed, wanted, "{}", String::from_utf8_lossy(&fixed));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o750);
    assert!(folder.path().join("link.py").is_symlink());
}

#[test]
fn notebooks_are_checked_and_fixed_cell_by_cell() {
    let notebook = r#"{
 "cells": [
  {"cell_type": "markdown", "metadata": {}, "source": ["sum([x for x in xs])"]},
  {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [], "source": ["%matplotlib inline\n", "xs = sorted(range(9999))\n", "xs.append(1)"]},
  {"cell_type": "code", "execution_count": 2, "metadata": {}, "outputs": [], "source": ["!ls\n", "print(sum([x * 2 for x in xs]))\n"]}
 ],
 "metadata": {}, "nbformat": 4, "nbformat_minor": 5
}
"#;
    let folder = project(&[("n.ipynb", notebook)]);
    let said = stdout(&check(folder.path(), &["n.ipynb"]));
    assert!(said.contains("n.ipynb:cell 3:2:11 MS401"), "{said}");
    check(folder.path(), &["--fix", "n.ipynb"]);
    let fixed = std::fs::read_to_string(folder.path().join("n.ipynb")).unwrap();
    let fixed: Value = serde_json::from_str(&fixed).expect("still JSON");
    assert_eq!(fixed["cells"][2]["source"][1], "print(sum(x * 2 for x in xs))\n");
    assert_eq!(fixed["cells"][0]["source"][0], "sum([x for x in xs])");
}

#[test]
fn evidence_ranks_findings_and_says_what_they_cost_in_all() {
    for python in support::pythons() {
        let never = "\n\ndef never(xs: list):\n    return sum(xs[1:])\n";
        let folder = project(&[("a.py", &(WASTEFUL.to_owned() + never))]);
        let run = Command::new(support::memsight())
            .args(["run", "-q", "-o", "a.msight", "--python"])
            .arg(&python.path)
            .args(["--", "a.py"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(run.status.success(), "{python}: {}", stderr(&run));
        let output = check(folder.path(), &["--capture", "a.msight", "--output-format", "json", "a.py"]);
        let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let of = |code: &str| {
            let findings = json["findings"].as_array().expect("a list");
            findings.iter().find(|it| it["code"] == code).unwrap_or_else(|| panic!("{python}: no {code}"))
        };
        let list = &of("MS401")["evidence"];
        // A list of 10,000 references and 9,871 ints that are not kept ready.
        assert!(support::number(&list["allocated_bytes"]) > 80_000 + 9_800 * 28, "{python}: {list}");
        assert_eq!(json["findings"][0]["code"], "MS401", "{python}");
        assert!(of("MS102")["evidence"].is_null(), "{python}");
        let said = stdout(&check(folder.path(), &["--capture", "a.msight", "a.py"]));
        assert!(said.contains("nothing was allocated here in this run"), "{python}: {said}");
        assert!(said.contains("3 findings in 1 file: these 2 lines allocated"), "{python}: {said}");
        std::fs::copy(folder.path().join("a.py"), folder.path().join("other.py")).unwrap();
        let said = stdout(&check(folder.path(), &["--capture", "a.msight", "other.py"]));
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("none of these files ran in this capture"), "{python}: {said}");
    }
}

/// Files that a checker could choke on. Each is answered: with findings, or a line that says why not.
#[test]
fn hostile_files_are_answered() {
    let repeat = |text: &str, times: usize| text.repeat(times);
    let nested =
        |open: &str, close: &str| format!("x = {}1{}\n", repeat(open, 10_000), repeat(close, 10_000));
    let cycle = "class A:\n    def f(self):\n        self.a = self.b + [1]\n        self.b = self.a + [1]\n        for x in self.a[1:]: pass\n";
    let doubling: String = (1..60).map(|i| format!("  x{i} = 0\n  x{i} = x{0} + x{0}\n", i - 1)).collect();
    let files: Vec<(&str, String)> = vec![
        ("list", format!("x = [{}]\n", repeat("1, ", 3_300_000))),
        ("sum", format!("x = 1{}\n", repeat(" + 1", 2_500_000))),
        ("string", format!("x = '{}'\n", repeat("a", 10_000_000))),
        (
            "one line of findings",
            format!("xs = [x for x in y]\n{}\n", repeat("sum([x + 1 for x in xs]); ", 9_000)),
        ),
        (
            "and a comment",
            format!("xs = [1]\n{}# memsight: ignore[MS9]\n", repeat("sum([x + 1 for x in xs]); ", 9_000)),
        ),
        ("brackets", nested("[", "]")),
        ("parentheses", nested("(", ")")),
        ("calls", nested("f(", ")")),
        ("lambdas", format!("x = {}1\n", repeat("lambda: ", 100_000))),
        ("attributes", format!("x = a{}\n", repeat(".b", 1_000_000))),
        ("blocks", (0..3500).map(|depth| format!("{}if x:\n", repeat(" ", depth))).collect()),
        ("elif", format!("if a: pass\n{}", repeat("elif b: pass\n", 100_000))),
        ("types that go round", cycle.into()),
        (
            "types that double",
            format!("def f(g):\n  x0 = 0\n  x0 = g()\n{doubling}  for y in x59[1:]: pass\n"),
        ),
        (
            "growth",
            format!("def f(t):\n  s = ''\n  while t:\n{}", repeat("    t = t[1:]\n    s = t + s\n", 20_000)),
        ),
        (
            "attributes that grow",
            format!("class A:\n  def g(self):\n{}", repeat("    self.a = self.a + self.a\n", 3_000)),
        ),
        (
            "imports",
            format!(
                "{}xs = [1]\n{}",
                repeat("import a\n", 20_000),
                repeat("for x in xs[5:]: pass\n", 20_000)
            ),
        ),
        ("a name in 100,000 places", repeat("x = x + x\n", 100_000)),
        ("open string", format!("x = '''{}", repeat("a\n", 1_000_000))),
        ("nulls", repeat("\0", 10_000_000)),
        ("dots", repeat(".", 10_000_000)),
        ("euros", repeat("€", 3_000_000)),
        ("nothing", String::new()),
        ("no newline", "x = 1".into()),
    ];
    let folder = project(&[]);
    for (name, text) in files {
        std::fs::write(folder.path().join("hostile.py"), text).unwrap();
        let mut command = Command::new("timeout");
        command.args(["--signal=KILL", "60"]).arg(support::memsight()).args(["check", "hostile.py"]);
        let output = command.current_dir(folder.path()).output().unwrap();
        let code = output.status.code();
        assert!(matches!(code, Some(0..=2)), "{name}: {:?}: {}", output.status, stderr(&output));
        assert_eq!(code == Some(2), stderr(&output).contains("not checked"), "{name}: {}", stderr(&output));
    }
}

#[test]
fn syntax_up_to_python_3_14_is_read() {
    let text = r#"
from __future__ import annotations
type Pair[T] = tuple[T, T]
class Box[T: int = int]: ...
def f[*Ts, **P](a, /, b, *, c) -> None: ...
match [1, {"k": 2}]:
    case [int(x), {"k": y, **rest}] if x: pass
    case Box() | None: pass
try: pass
except* ValueError, TypeError: pass
try: pass
except OSError, KeyError: pass
print(f"{'a' + f"{1 + 1!r:>{10}}"}", t"hello {f=}")
async def g():
    async with a as b, c: pass
    return [x async for x in y if (z := await x)]
with (open("a") as a, open("b") as b): pass
x = lambda *, k=1: (yield)
"#;
    let folder = project(&[("new.py", text)]);
    let output = check(folder.path(), &["new.py"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
}

#[test]
fn a_file_that_cannot_be_read_does_not_hide_the_others() {
    let folder =
        project(&[("a.py", WASTEFUL), ("broken.py", "def f(:\n"), ("odd.py", "# coding: klingon\n")]);
    std::fs::write(folder.path().join("bytes.py"), b"x = '\xff'\n").unwrap();
    let output = check(folder.path(), &[]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for word in ["broken.py:1:", "klingon", "bytes.py: not UTF-8 from byte 5"] {
        assert!(said.contains(word), "no '{word}' in {said}");
    }
    assert!(stdout(&output).contains("2 findings in 1 file"), "{}", stdout(&output));
}
