//! How a file's bytes are decoded and how they are written back: UTF-8 unless its coding line
//! says otherwise (PEP 263).

use encoding_rs::Encoding;

const MARK: &[u8] = b"\xef\xbb\xbf";

/// How a file is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// UTF-8, with a byte order mark or without.
    Utf8 { mark: bool },
    /// Every byte is the character of its number.
    Latin1,
    /// One that the web knows too, by the Encoding Standard's tables.
    Other(&'static Encoding),
}

impl Coding {
    /// Takes the bytes of a file. What could not be written back as it was is not taken.
    pub(super) fn decode(bytes: Vec<u8>) -> Result<(String, Self), String> {
        let (mark, bytes) = match bytes.strip_prefix(MARK) {
            Some(rest) => (true, rest.to_vec()),
            None => (false, bytes),
        };
        if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
            return Err(format!("a null byte at byte {at}: not a source"));
        }
        match named(&bytes).as_deref() {
            None => Self::utf8(bytes, mark),
            Some(name) => match plain(name).as_str() {
                "utf8" | "utf8sig" | "ascii" | "usascii" => Self::utf8(bytes, mark),
                "latin1" | "iso88591" | "l1" => {
                    Ok((bytes.iter().map(|byte| char::from(*byte)).collect(), Self::Latin1))
                }
                _ => Self::other(&bytes, name),
            },
        }
    }

    fn utf8(bytes: Vec<u8>, mark: bool) -> Result<(String, Self), String> {
        String::from_utf8(bytes).map(|text| (text, Self::Utf8 { mark })).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            format!("not UTF-8 from byte {at} on, and no coding line says otherwise")
        })
    }

    fn other(bytes: &[u8], name: &str) -> Result<(String, Self), String> {
        let unknown = || format!("its coding line names {name}, which is not read");
        let encoding = Encoding::for_label(name.as_bytes()).filter(|it| it.is_ascii_compatible());
        let encoding = encoding.ok_or_else(unknown)?;
        let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
        let text = text.ok_or_else(|| format!("not {name}, which its coding line names"))?.into_owned();
        let coding = Self::Other(encoding);
        if coding.encode(&text).as_deref() != Ok(bytes) {
            return Err(format!("its {name} could not be written back as it is"));
        }
        Ok((text, coding))
    }

    /// The bytes of a text.
    pub(super) fn encode(self, text: &str) -> Result<Vec<u8>, String> {
        match self {
            Self::Utf8 { mark: false } => Ok(text.as_bytes().to_vec()),
            Self::Utf8 { mark: true } => Ok([MARK, text.as_bytes()].concat()),
            Self::Latin1 => text
                .chars()
                .map(|c| u8::try_from(u32::from(c)).map_err(|_| format!("{c} cannot be written in Latin-1")))
                .collect(),
            Self::Other(encoding) => match encoding.encode(text) {
                (bytes, _, false) => Ok(bytes.into_owned()),
                _ => Err(format!("cannot be written in {}", encoding.name())),
            },
        }
    }
}

/// The encoding that one of the first two lines names.
fn named(bytes: &[u8]) -> Option<String> {
    bytes.split(|byte| *byte == b'\n').take(2).find_map(|line| {
        let line = String::from_utf8_lossy(line);
        let comment = line.trim_start().strip_prefix('#')?;
        let rest = &comment[comment.find("coding")? + "coding".len()..];
        let name: String = rest
            .strip_prefix([':', '='])?
            .trim_start()
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
            .collect();
        (!name.is_empty()).then(|| name.to_ascii_lowercase())
    })
}

/// A name without dashes, in which Python's many spellings of one encoding agree.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coding_lines_are_found_in_the_first_two_lines() {
        assert_eq!(named(b"# -*- coding: latin-1 -*-\n").as_deref(), Some("latin-1"));
        assert_eq!(named(b"#!/usr/bin/python\n# vim: set fileencoding=UTF-8 :\n").as_deref(), Some("utf-8"));
        assert_eq!(named(b"\n\n# coding: latin-1\n"), None);
        assert_eq!(named(b"text = 'coding: latin-1'\n"), None);
    }

    #[test]
    fn every_encoding_is_written_back_byte_by_byte() {
        for bytes in [
            &b"# coding: latin-1\nx = '\xe9\x80'\n"[..],
            b"# coding: cp1252\nx = '\x80'\n",
            b"# coding: koi8-r\nx = '\xc1'\n",
            b"# coding: shift_jis\nx = '\x82\xa0'\n",
            b"# coding: euc-jp\nx = '\xa4\xa2'\n",
            b"\xef\xbb\xbfx = '\xc3\xa9'\n",
            b"x = '\xc3\xa9'\n",
        ] {
            let (text, coding) = Coding::decode(bytes.to_vec()).unwrap();
            assert_eq!(coding.encode(&text).unwrap(), bytes, "{text}");
        }
    }

    #[test]
    fn what_is_not_its_encoding_is_refused_and_said() {
        let refused = |bytes: &[u8]| Coding::decode(bytes.to_vec()).unwrap_err();
        assert!(refused(b"x = '\xe9'\n").contains("not UTF-8 from byte 5"));
        assert!(refused(b"# coding: nonsense\n").contains("nonsense"));
        assert!(refused(b"# coding: utf-16\n").contains("utf-16"));
        assert!(refused(b"# coding: shift_jis\n'\x82\n").contains("shift_jis"));
        assert!(refused(b"x = 1\0\n").contains("null byte at byte 5"));
    }

    #[test]
    fn what_an_encoding_lacks_is_not_written() {
        let (_, coding) = Coding::decode(b"# coding: koi8-r\n".to_vec()).unwrap();
        assert!(coding.encode("x = 'é'").is_err());
        assert!(Coding::Latin1.encode("x = '😀'").is_err());
    }
}
