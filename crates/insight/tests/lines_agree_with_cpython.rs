//! Compares `lines` with what CPython itself says, for every instruction of
//! some sixty modules of the standard library.
//!
//! It runs each CPython 3.9 to 3.13 it finds (under `~/.pyenv/versions`, and
//! `python3.X` on PATH), which compiles the modules, walks their code objects
//! and prints each line table beside the line of every offset: from `co_lines`,
//! checked against `PyCode_Addr2Line` in all but the longest code objects, or
//! from `PyCode_Addr2Line` alone in 3.9, which has no `co_lines`. It says on
//! stderr which versions were not found, and passes without them: the hand-made
//! tables are tested beside the module.

use std::path::{Path, PathBuf};
use std::process::Command;

use memsight_insight::lines::{LineTable, decode, line_at};

/// Prints the minor version, then for each code object
/// `<first line> <table in hex> <end>:<line> <end>:<line> ...`, where a line
/// holds from the end before it (from 0) and `-` is no line.
const PRINTER: &str = r#"
import os, sys, types
MINOR = sys.version_info[1]
try:
    from ctypes import c_int, py_object, pythonapi
    addr2line = pythonapi.PyCode_Addr2Line
    addr2line.argtypes = [py_object, c_int]
    addr2line.restype = c_int
except Exception:
    if MINOR == 9:
        sys.exit('3.9 needs ctypes to say its lines')
    addr2line = None
print(MINOR)

# PyCode_Addr2Line reads the table from its start at every call.
LONG = 300

NAMES = '''abc argparse ast base64 bdb bisect calendar cmd code codecs
collections/__init__ configparser contextlib copy csv dataclasses datetime
decimal difflib dis doctest enum fractions functools gettext glob gzip hashlib
heapq inspect ipaddress json/decoder json/encoder keyword linecache locale
logging/__init__ mailbox mimetypes numbers optparse os pathlib pdb pickle
pickletools platform plistlib posixpath pprint queue random re selectors shlex
shutil socket statistics string subprocess tarfile tempfile textwrap threading
timeit tokenize traceback types typing unittest/case unittest/mock uuid
warnings weakref zipfile'''.split()

# Things that are rare in the library: long jumps in lines and in bytes, lines
# that go back, instructions without a line, a first line far down.
ODD = [
    'x = 1' + '\n' * 500 + 'y = 2\n' + 'def f():\n' + '\n' * 200 + '    return 1\n',
    'def f(a):\n    return [' + 'a + a * a - a,' * 200 + '\n  a]\n',
    'def f(a):\n    return g(\n' + '\n' * 150 + '        a(),\n' + '\n' * 150 + '   b)(\n c)\n',
    'def f(a):\n  with a as b, b as c:\n    try:\n      yield b\n    except E as e:\n      return 1\n    finally:\n      del c\n  while a:\n    if b: continue\n    break\n',
    'async def f(a):\n  async with a:\n    async for b in c:\n      await b\n  return [d async for d in e]\n',
    '\n' * 70000 + 'class A:\n  def f(self): return super().f\n  g = lambda self: (lambda: self)\n',
    '',
]

def sources():
    for text in ODD:
        yield text.encode()
    base = os.path.dirname(os.__file__)
    for name in NAMES:
        try:
            with open(os.path.join(base, *(name + '.py').split('/')), 'rb') as f:
                yield f.read()
        except OSError:
            try:
                with open(os.path.join(base, name, '__init__.py'), 'rb') as f:
                    yield f.read()
            except OSError:
                pass

def lines(code):
    if MINOR >= 10:
        listed = {}
        for start, end, line in code.co_lines():
            for offset in range(start, end, 2):
                listed[offset] = -1 if line is None else line
    size = len(code.co_code)
    for offset in range(0, size, 2):
        if MINOR == 9:
            yield offset, addr2line(code, offset)
            continue
        line = listed[offset]
        if addr2line and size <= LONG and addr2line(code, offset) != line:
            sys.exit('co_lines and PyCode_Addr2Line differ at %d of %r' % (offset, code))
        yield offset, line

def walk(code, out):
    row = []
    for offset, line in lines(code):
        line = '-' if line < 0 else str(line)
        if row and row[-1][1] == line:
            row[-1][0] = offset + 2
        else:
            row.append([offset + 2, line])
    table = code.co_linetable if MINOR >= 10 else code.co_lnotab
    out.append('%d %s %s' % (code.co_firstlineno, table.hex() or '-',
                             ' '.join('%d:%s' % tuple(r) for r in row)))
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            walk(const, out)

out = []
for text in sources():
    walk(compile(text, 'module', 'exec', dont_inherit=True), out)
print('\n'.join(out))
"#;

/// The interpreters to try: those of pyenv, then the names on PATH.
fn candidates() -> Vec<PathBuf> {
    let mut found = Vec::new();
    if let Some(home) = std::env::var_os("HOME") {
        let versions = PathBuf::from(home).join(".pyenv/versions");
        for entry in versions.read_dir().into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if (9..=13).any(|minor| name.starts_with(&format!("3.{minor}."))) {
                found.push(entry.path().join("bin/python3"));
            }
        }
    }
    found.sort();
    found.extend((9..=13).map(|minor| PathBuf::from(format!("python3.{minor}"))));
    found
}

/// What one interpreter printed, or `None` when it can't be run: pyenv leaves
/// names on PATH that only say that there is no such version.
fn printed(python: &Path) -> Option<String> {
    let run = Command::new(python).args(["-I", "-S", "-W", "ignore", "-c", PRINTER]).output();
    let run = run.ok()?;
    if run.stdout.is_empty() {
        return None;
    }
    let complaint = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{}: {complaint}", python.display());
    Some(String::from_utf8(run.stdout).expect("the printer prints ascii"))
}

fn bytes_of(hex: &str) -> Vec<u8> {
    if hex == "-" {
        return Vec::new();
    }
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("two hex digits"))
        .collect()
}

/// The line that a decoded table gives, found the way a caller with a cache
/// would look for it.
fn looked_up(ranges: &[(u32, u32, Option<u32>)], offset: u32) -> Option<u32> {
    let at = ranges.partition_point(|&(_, end, _)| end <= offset);
    ranges.get(at).and_then(|&(_, _, line)| line)
}

/// Checks one printed code object and returns how many offsets it had.
fn compare(table: LineTable, row: &str) -> u32 {
    let mut words = row.split(' ');
    let mut word = || words.next().expect("a row has three parts");
    let first_line = word().parse().expect("a first line");
    let bytes = bytes_of(word());
    let ranges = decode(table, &bytes, first_line);
    // `line_at` reads the table from its start too, so in a long code object it
    // is asked for the ends of each run only.
    let long = bytes.len() > 100;
    let mut offset = 0;
    for run in words.filter(|run| !run.is_empty()) {
        let (end, line) = run.split_once(':').expect("an end and a line");
        let end = end.parse().expect("an end");
        let expected = (line != "-").then(|| line.parse().expect("a line"));
        let start = offset;
        while offset < end {
            let found = looked_up(&ranges, offset);
            assert_eq!(found, expected, "decoded {table:?} at {offset} of {row}");
            if !long || offset == start || offset + 2 == end {
                let found = line_at(table, &bytes, first_line, offset);
                assert_eq!(found, expected, "{table:?} at {offset} of {row}");
            }
            offset += 2;
        }
    }
    offset / 2
}

/// Checks all that one interpreter printed. Returns its minor version.
fn compare_all(python: &Path, text: &str) -> u32 {
    let mut rows = text.lines();
    let minor = rows.next().and_then(|head| head.parse().ok());
    let minor: u32 = minor.expect("the printer begins with the minor version");
    let table = match minor {
        9 => LineTable::Lnotab39,
        10 => LineTable::LineTable310,
        _ => LineTable::Locations311,
    };
    let (mut codes, mut offsets) = (0, 0);
    for row in rows {
        codes += 1;
        offsets += compare(table, row);
    }
    let python = python.display();
    assert!(codes > 1000, "{python} printed {codes} code objects only");
    eprintln!("{python} (3.{minor}): {codes} code objects, {offsets} offsets agree");
    minor
}

#[test]
fn every_instruction_of_the_standard_library_is_on_the_line_cpython_says() {
    // One thread each: most of the time is CPython's, compiling.
    let found: Vec<u32> = std::thread::scope(|scope| {
        let run =
            |python: PathBuf| scope.spawn(move || printed(&python).map(|text| compare_all(&python, &text)));
        let running: Vec<_> = candidates().into_iter().map(run).collect();
        let minors = running.into_iter().filter_map(|thread| thread.join().expect("agreement"));
        minors.collect()
    });
    for minor in (9..=13).filter(|minor| !found.contains(minor)) {
        eprintln!("3.{minor}: not found, so its tables were not compared with CPython");
    }
}
