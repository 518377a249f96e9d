//! `--output-format junit`: a suite for each file, a failure for each finding.

use std::collections::BTreeMap;
use std::path::Path;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::project::{Located, Report};

pub(super) fn render(report: &Report) -> String {
    let mut by_file: BTreeMap<&Path, Vec<&Located>> = BTreeMap::new();
    for located in &report.findings {
        by_file.entry(&located.path).or_default().push(located);
    }
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Writing into memory does not fail.
    let _ = writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)));
    let total = report.findings.len().to_string();
    let total = total.as_str();
    let suites = writer.create_element("testsuites").with_attributes([
        ("name", "memsight"),
        ("tests", total),
        ("failures", total),
    ]);
    let _ = suites.write_inner_content(|writer| {
        for (path, findings) in &by_file {
            let path = clean(&path.to_string_lossy());
            let count = findings.len().to_string();
            writer
                .create_element("testsuite")
                .with_attributes([("name", path.as_str()), ("tests", &count), ("failures", &count)])
                .write_inner_content(|writer| {
                    findings.iter().try_for_each(|located| case(writer, &path, located))
                })?;
        }
        Ok(())
    });
    let mut text = String::from_utf8_lossy(&writer.into_inner()).into_owned();
    text.push('\n');
    text
}

fn case(writer: &mut Writer<Vec<u8>>, path: &str, located: &Located) -> std::io::Result<()> {
    let rule = located.finding.rule;
    let (line, column) = (located.start.line.to_string(), located.start.column.to_string());
    let message = clean(&located.finding.message);
    let body = format!("{path}:{line}:{column}: {} {message}", rule.code);
    writer
        .create_element("testcase")
        .with_attributes([("name", rule.code), ("classname", path), ("line", &line), ("column", &column)])
        .write_inner_content(|writer| {
            let failure = writer.create_element("failure").with_attributes([("message", message.as_str())]);
            failure.write_text_content(BytesText::new(&body)).map(|_| ())
        })
        .map(|_| ())
}

/// Text without the characters that XML 1.0 has no way to write.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}
