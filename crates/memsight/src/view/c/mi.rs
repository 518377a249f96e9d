//! The records of gdb's machine interface, a line each.
//!
//! ```text
//! line    = [token] ^class{,result}      the answer to a command
//!         | [token] *class{,result}      and + and =: what happens meanwhile
//!         | ~text | @text | &text        what the console, the target and gdb's log say
//!         | (gdb)
//! result  = name=value
//! value   = "text" | {result,…} | [value,…] | [result,…]
//! ```
//!
//! The text between quotes is escaped as in C, bytes beyond ASCII in octal.

/// What a line says.
#[derive(Debug, PartialEq)]
pub(super) enum Record {
    /// The answer to a command: `done`, `error`, …
    Answer { token: Option<u64>, class: String, results: Vec<(String, Value)> },
    /// What the console says.
    Console(String),
    /// What gdb notes beside that, such as warnings.
    Log(String),
    /// What is of no interest here: what the target does, and the prompt.
    Other,
}

/// The value of a result.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Tuple(Vec<(String, Value)>),
    List(Vec<Value>),
}

impl Value {
    /// The text of a field of a tuple.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let Value::Tuple(fields) = self else { return None };
        fields.iter().find_map(|(field, value)| match value {
            Value::Text(text) if field == name => Some(text.as_str()),
            _ => None,
        })
    }
}

/// Lists in lists deeper than this are no answer of gdb's.
const DEEPEST: usize = 32;

/// Reads a line; `None` if it is no record.
pub(super) fn parse(line: &[u8]) -> Option<Record> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut at = Reader { bytes: line, at: 0 };
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let token = std::str::from_utf8(&line[..digits]).ok()?.parse().ok();
    at.at = digits;
    let record = match at.next()? {
        b'^' => {
            let class = at.word();
            let mut results = Vec::new();
            while at.take(b',') {
                results.push(at.result(0)?);
            }
            Record::Answer { token, class, results }
        }
        b'~' => Record::Console(at.text()?),
        b'&' => Record::Log(at.text()?),
        b'@' | b'*' | b'+' | b'=' => return Some(Record::Other),
        b'(' if line == b"(gdb)" || line == b"(gdb) " => return Some(Record::Other),
        _ => return None,
    };
    (at.at == line.len()).then_some(record)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn word(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            self.at += 1;
        }
        String::from_utf8_lossy(&self.bytes[start..self.at]).into_owned()
    }

    fn result(&mut self, depth: usize) -> Option<(String, Value)> {
        let name = self.word();
        (!name.is_empty() && self.take(b'=')).then_some(())?;
        Some((name, self.value(depth)?))
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > DEEPEST {
            return None;
        }
        match self.peek()? {
            b'"' => Some(Value::Text(self.text()?)),
            b'{' => {
                self.at += 1;
                let mut fields = Vec::new();
                while !self.take(b'}') {
                    fields.push(self.result(depth + 1)?);
                    if !self.take(b',') && self.peek()? != b'}' {
                        return None;
                    }
                }
                Some(Value::Tuple(fields))
            }
            b'[' => {
                self.at += 1;
                let mut values = Vec::new();
                while !self.take(b']') {
                    let is_value = matches!(self.peek()?, b'"' | b'{' | b'[');
                    values.push(match is_value {
                        true => self.value(depth + 1)?,
                        false => self.result(depth + 1)?.1,
                    });
                    if !self.take(b',') && self.peek()? != b']' {
                        return None;
                    }
                }
                Some(Value::List(values))
            }
            _ => None,
        }
    }

    fn text(&mut self) -> Option<String> {
        self.take(b'"').then_some(())?;
        let mut text = Vec::new();
        loop {
            match self.next()? {
                b'"' => return Some(String::from_utf8_lossy(&text).into_owned()),
                b'\\' => text.push(self.escaped()?),
                byte => text.push(byte),
            }
        }
    }

    fn escaped(&mut self) -> Option<u8> {
        Some(match self.next()? {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'v' => 11,
            b'e' => 27,
            digit @ b'0'..=b'7' => {
                let mut code = u32::from(digit - b'0');
                for _ in 0..2 {
                    match self.peek() {
                        Some(digit @ b'0'..=b'7') => code = code * 8 + u32::from(digit - b'0'),
                        _ => break,
                    }
                    self.at += 1;
                }
                u8::try_from(code).ok()?
            }
            byte => byte,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_its_token_and_its_results() {
        let line = br#"12^done,files=[{file="a.c",fullname="/x/a \"b\".c"},{file="b.c"}],n="1""#;
        let Some(Record::Answer { token, class, results }) = parse(line) else { panic!("no answer") };
        assert_eq!((token, class.as_str(), results.len()), (Some(12), "done", 2));
        let (name, Value::List(files)) = &results[0] else { panic!("no list") };
        assert_eq!(name, "files");
        assert_eq!(files[0].text("fullname"), Some("/x/a \"b\".c"));
        assert_eq!(files[1].text("fullname"), None);
    }

    #[test]
    fn what_the_console_says_is_unescaped() {
        assert_eq!(parse(b"~\"a\\tb\\n\""), Some(Record::Console("a\tb\n".into())));
        assert_eq!(parse(b"~\"\\303\\244\\\\\""), Some(Record::Console("ä\\".into())));
        assert_eq!(parse(b"&\"warning: x\\n\"\n"), Some(Record::Log("warning: x\n".into())));
        assert_eq!(parse(b"(gdb) \r\n"), Some(Record::Other));
        assert_eq!(parse(b"=thread-created,id=\"1\""), Some(Record::Other));
    }

    #[test]
    fn a_list_of_results_is_a_list_of_their_values() {
        let Some(Record::Answer { results, .. }) =
            parse(b"^done,stack=[frame={level=\"0\"},frame={level=\"1\"}]")
        else {
            panic!("no answer")
        };
        let Value::List(frames) = &results[0].1 else { panic!("no list") };
        assert_eq!(frames[1].text("level"), Some("1"));
    }

    #[test]
    fn hostile_lines_are_no_records() {
        let deep = [b"^done,a=".as_slice(), &b"[".repeat(100_000)].concat();
        let cases: [&[u8]; 14] = [
            b"",
            b"~",
            b"~\"open",
            b"~\"\\",
            b"~\"\\777\"",
            b"^done,",
            b"^done,a",
            b"^done,a=",
            b"^done,a={b=\"1\"",
            b"^done,a=[\"1\" \"2\"]",
            b"^done,a=\"1\"x",
            b"hello",
            b"(gdb) and more",
            &deep,
        ];
        for line in cases {
            assert_eq!(parse(line), None, "{}", String::from_utf8_lossy(&line[..line.len().min(40)]));
        }
        // A token that no number holds is none, and the rest still counts.
        assert!(matches!(parse(b"99999999999999999999999^done"), Some(Record::Answer { token: None, .. })));
    }
}
