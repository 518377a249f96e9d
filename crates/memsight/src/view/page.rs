//! Writes a trace as one HTML file: the page that `web/` builds, with the trace in it.
//!
//! What the program wrote, named and computed goes in as base64 of gzip'd JSON, so that
//! nothing of it can end an element; the file's name in the title is escaped.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use flate2::{Compression, write::GzEncoder};
use memsight_picture::Trace;

use crate::terminal::say;

/// The page without a trace, if it was there when this was built.
#[cfg(has_page)]
const TEMPLATE: Option<&str> = Some(include_str!(env!("MEMSIGHT_PAGE")));
#[cfg(not(has_page))]
const TEMPLATE: Option<&str> = None;

/// Every page begins with this.
const MARKER: &str = "<!doctype html>\n<!-- memsight view -->";

const TITLE: &str = "<title>memsight view</title>";

/// Where the trace goes: before the second of these two.
const PLACE: (&str, &str) = (r#"<script type="application/octet-stream" id="trace">"#, "</script>");

/// Writes the page to `path`. A page that is there already is replaced, anything else only by `force`.
pub(super) fn write(trace: &Trace, path: &Path, force: bool) -> Result<()> {
    let shown = path.display();
    let Some(template) = TEMPLATE else {
        bail!(
            "-o {shown}: this memsight was built without the page; run `cargo xtask web`, then build memsight again"
        );
    };
    check_target(path, force)?;
    let parts =
        Parts::of(template).context("the page that memsight was built with has no place for a trace")?;
    let unwritable = || format!("-o {shown}: cannot be written");
    let length = write_whole(&parts, trace, path).with_context(unwritable)?;
    say(&format!("{shown}: {} steps, {} kB", trace.steps.len(), length.div_ceil(1000)));
    Ok(())
}

/// Whether `path` may be written: there is nothing, or a page, or what `force` is for.
fn check_target(path: &Path, force: bool) -> Result<()> {
    let shown = path.display();
    let Ok(metadata) = path.metadata() else { return Ok(()) };
    if metadata.is_dir() {
        bail!("-o {shown}: is a folder; give the name of a file");
    }
    if metadata.is_file() && !force && metadata.len() > 0 && !is_page(path) {
        bail!(
            "-o {shown}: is there already and is no page of memsight view; choose another name, or add --force to replace it"
        );
    }
    Ok(())
}

fn is_page(path: &Path) -> bool {
    let mut beginning = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MARKER.len() as u64).read_to_end(&mut beginning));
    read.is_ok() && beginning == MARKER.as_bytes()
}

/// The template, cut where the title and the trace go.
struct Parts<'t> {
    before_title: &'t str,
    before_trace: &'t str,
    after_trace: &'t str,
}

impl<'t> Parts<'t> {
    fn of(template: &'t str) -> Option<Self> {
        if !template.starts_with(MARKER) {
            return None;
        }
        let (before_title, rest) = template.split_once(TITLE)?;
        let start = rest.find(PLACE.0)? + PLACE.0.len();
        let (before_trace, after_trace) = rest.split_at(start);
        after_trace.starts_with(PLACE.1).then_some(Parts { before_title, before_trace, after_trace })
    }
}

/// Writes a new file beside the old one and puts it in its place, so that a page is whole or
/// not there; a device or a pipe is written as it is. Returns the page's bytes.
fn write_whole(parts: &Parts, trace: &Trace, path: &Path) -> io::Result<u64> {
    let is_special = path.metadata().is_ok_and(|metadata| !metadata.is_file());
    if is_special {
        return write_to(parts, trace, File::options().write(true).open(path)?);
    }
    // A link's target is replaced, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = File::options().write(true).create_new(true).mode(0o600).open(&part);
    let written = written.and_then(|file| write_to(parts, trace, file));
    let placed = written.and_then(|length| fs::rename(&part, &path).map(|()| length));
    if placed.is_err() {
        let _ = fs::remove_file(&part);
    }
    placed
}

fn write_to(parts: &Parts, trace: &Trace, file: File) -> io::Result<u64> {
    let mut out = Counted { out: BufWriter::with_capacity(1 << 16, file), length: 0 };
    out.write_all(parts.before_title.as_bytes())?;
    write!(out, "<title>{} · memsight view</title>", escaped(&name_of(trace)))?;
    out.write_all(parts.before_trace.as_bytes())?;
    let mut packed = GzEncoder::new(Base64::new(&mut out), Compression::best());
    {
        // The encoder is fed token by token; small writes to it are slow.
        let mut json = BufWriter::with_capacity(1 << 16, &mut packed);
        memsight_picture::page::write(trace, &mut json)?;
        json.flush()?;
    }
    packed.finish()?.finish()?;
    out.write_all(parts.after_trace.as_bytes())?;
    out.flush()?;
    Ok(out.length)
}

/// The program's file name.
fn name_of(trace: &Trace) -> String {
    let path = trace.sources.first().map_or("", |source| &source.path);
    Path::new(path).file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// `text` as HTML that reads the same, inside an element or an attribute.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            control if control.is_control() => html.push('\u{fffd}'),
            other => html.push(other),
        }
    }
    html
}

/// Counts the bytes that go through.
struct Counted<W> {
    out: W,
    length: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes base64 (RFC 4648, section 4), three bytes as four characters.
struct Base64<W> {
    out: W,
    /// What is left over until there are three.
    rest: Vec<u8>,
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl<W: Write> Base64<W> {
    fn new(out: W) -> Self {
        Base64 { out, rest: Vec::new() }
    }

    /// Writes what is left over, with padding.
    fn finish(mut self) -> io::Result<()> {
        if self.rest.is_empty() {
            return Ok(());
        }
        let mut four = quartet(&self.rest);
        four[self.rest.len() + 1..].fill(b'=');
        self.out.write_all(&four)
    }
}

impl<W: Write> Write for Base64<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        let whole = self.rest.len() / 3 * 3;
        let characters: Vec<u8> = self.rest[..whole].chunks_exact(3).flat_map(quartet).collect();
        self.out.write_all(&characters)?;
        self.rest.drain(..whole);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Up to three bytes as four characters; what is missing counts as 0.
fn quartet(bytes: &[u8]) -> [u8; 4] {
    let byte = |at: usize| u32::from(bytes.get(at).copied().unwrap_or(0));
    let word = byte(0) << 16 | byte(1) << 8 | byte(2);
    [18, 12, 6, 0].map(|shift| ALPHABET[(word >> shift & 63) as usize])
}

#[cfg(test)]
mod tests {
    use memsight_picture::testing;

    use super::*;

    const PAGE: &str = concat!(
        "<!doctype html>\n<!-- memsight view -->\n<title>memsight view</title>",
        r#"<script type="application/octet-stream" id="trace"></script><p>"#
    );

    fn base64(bytes: &[u8], piece: usize) -> String {
        let mut text = Vec::new();
        let mut encoder = Base64::new(&mut text);
        for piece in bytes.chunks(piece) {
            encoder.write_all(piece).unwrap();
        }
        encoder.finish().unwrap();
        String::from_utf8(text).unwrap()
    }

    fn unbase64(text: &str) -> Vec<u8> {
        let digit = |character: &u8| ALPHABET.iter().position(|other| other == character).unwrap() as u32;
        let digits: Vec<u32> = text.trim_end_matches('=').as_bytes().iter().map(digit).collect();
        let bytes = digits.chunks(4).flat_map(|four| {
            let word = four.iter().fold(0, |word, digit| word << 6 | digit) << (6 * (4 - four.len()));
            word.to_be_bytes()[1..four.len()].to_vec()
        });
        bytes.collect()
    }

    #[test]
    fn base64_is_that_of_the_standard_however_it_is_fed() {
        let examples = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (text, encoded) in examples {
            for piece in 1..4 {
                assert_eq!(base64(text.as_bytes(), piece), encoded, "{text:?} by {piece}");
            }
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe], 3), "+//+");
    }

    #[test]
    fn a_page_holds_its_trace_and_nothing_of_it_as_html() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        let (_, mut trace) = testing::traces().swap_remove(0);
        trace.sources[0].path = "a/<i>&\"x\".py".into();
        trace.notes.push("</script><script>alert(1)</script>".into());
        let length = write_whole(&Parts::of(PAGE).unwrap(), &trace, &path).unwrap();
        let page = fs::read_to_string(&path).unwrap();
        assert_eq!(page.len() as u64, length);
        assert!(page.contains("<title>&lt;i&gt;&amp;&quot;x&quot;.py · memsight view</title>"), "{page}");
        assert!(!page.contains("alert(1)"));
        let (_, rest) = page.split_once(PLACE.0).unwrap();
        let (packed, after) = rest.split_once(PLACE.1).unwrap();
        assert_eq!(after, "<p>");
        let mut json = String::new();
        let packed = unbase64(packed);
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut json).unwrap();
        let mut expected = Vec::new();
        memsight_picture::page::write(&trace, &mut expected).unwrap();
        assert_eq!(json.as_bytes(), expected);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn only_a_page_is_replaced_without_force() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let other = at("other.html", "<!doctype html><p>mine");
        let refused = check_target(&other, false).unwrap_err().to_string();
        assert!(refused.contains("no page of memsight view") && refused.contains("--force"), "{refused}");
        check_target(&other, true).unwrap();
        check_target(&at("page.html", PAGE), false).unwrap();
        check_target(&at("empty.html", ""), false).unwrap();
        check_target(&folder.path().join("new.html"), false).unwrap();
        assert!(check_target(folder.path(), true).unwrap_err().to_string().contains("is a folder"));
    }

    #[test]
    fn a_template_without_a_place_for_the_trace_is_none() {
        assert!(Parts::of("<!doctype html>").is_none());
        assert!(Parts::of(&PAGE.replace("id=\"trace\"", "")).is_none());
        assert!(Parts::of(PAGE).is_some());
    }

    #[test]
    fn the_page_that_was_built_has_a_place_for_the_trace() {
        if let Some(template) = TEMPLATE {
            assert!(Parts::of(template).is_some());
        }
    }
}
