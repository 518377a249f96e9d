//! Values as Python writes them (`repr`).

use memsight_capture::StepValue;

/// What there is to write of a value of a type.
pub(super) fn text(of_type: &str, value: &StepValue<'_>) -> Option<String> {
    Some(match value {
        StepValue::Nothing => match of_type {
            "NoneType" => "None".to_owned(),
            "ellipsis" => "Ellipsis".to_owned(),
            "NotImplementedType" => "NotImplemented".to_owned(),
            _ => return None,
        },
        StepValue::Int(value) if of_type == "bool" => if *value == 0 { "False" } else { "True" }.to_owned(),
        StepValue::Int(value) => value.to_string(),
        StepValue::Big { negative, count, digits } => big(*negative, *count, digits),
        StepValue::Float(bits) => float(f64::from_bits(*bits)),
        StepValue::Complex(real, imaginary) => complex(f64::from_bits(*real), f64::from_bits(*imaginary)),
        StepValue::Text { start, length } => {
            let start = String::from_utf8_lossy(start);
            let rest = if (start.chars().count() as u64) < *length { "…" } else { "" };
            format!("{}{rest}", quoted(&start))
        }
        StepValue::Bytes { start, length } => {
            let rest = if (start.len() as u64) < *length { "…" } else { "" };
            let text = bytes(start);
            match of_type {
                "bytearray" => format!("bytearray({text}{rest})"),
                _ => format!("{text}{rest}"),
            }
        }
        StepValue::Named(name) => String::from_utf8_lossy(name).into_owned(),
        StepValue::Paused { name, line, over } => {
            let name = String::from_utf8_lossy(name);
            match (over, line) {
                (true, _) => format!("{name}, over"),
                (false, 0) => name.into_owned(),
                (false, line) => format!("{name} at line {line}"),
            }
        }
    })
}

/// An exception, or an instance of a class based on a value, as the call that makes it.
pub(super) fn made_with(of_type: &str, value: &StepValue<'_>) -> Option<String> {
    match value {
        StepValue::Nothing => None,
        StepValue::Named([]) => Some(format!("{of_type}()")),
        value => Some(format!("{of_type}({})", text("", value)?)),
    }
}

/// A `str` in the quotes that need fewer escapes (`Objects/unicodeobject.c`, `unicode_repr`).
fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            _ if character == quote => out.extend(['\\', quote]),
            _ if character.is_control() => out.push_str(&escape(character)),
            _ => out.push(character),
        }
    }
    out.push(quote);
    out
}

fn escape(character: char) -> String {
    match character as u32 {
        code @ 0..=0xff => format!("\\x{code:02x}"),
        code @ 0..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    }
}

fn bytes(data: &[u8]) -> String {
    let quote = if data.contains(&b'\'') && !data.contains(&b'"') { '"' } else { '\'' };
    let mut out = format!("b{quote}");
    for &byte in data {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'\\' => out.push_str("\\\\"),
            _ if char::from(byte) == quote => out.extend(['\\', quote]),
            b' '..=b'~' => out.push(byte.into()),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push(quote);
    out
}

/// The shortest digits that give the number again, as `float.__repr__` lays them out.
fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) || value == 0.0 {
        let plain = format!("{value}");
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

fn complex(real: f64, imaginary: f64) -> String {
    let bare = |value: f64| {
        let text = float(value);
        text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
    };
    if real == 0.0 && real.is_sign_positive() {
        return format!("{}j", bare(imaginary));
    }
    let sign = if imaginary.is_sign_negative() || imaginary.is_nan() { "" } else { "+" };
    format!("({}{sign}{}j)", bare(real), bare(imaginary))
}

/// A long `int` from its digits of 30 bits, or how long it is.
fn big(negative: bool, count: u64, digits: &[u8]) -> String {
    if digits.len() as u64 != count.saturating_mul(4) || digits.is_empty() {
        return format!("int of about {} digits", (count as f64 * 30.0 * std::f64::consts::LOG10_2).ceil());
    }
    const BILLION: u64 = 1_000_000_000;
    // Groups of nine decimal digits, lowest first.
    let mut groups: Vec<u64> = vec![0];
    for digit in digits.chunks_exact(4).rev() {
        let mut carry = u64::from(u32::from_le_bytes([digit[0], digit[1], digit[2], digit[3]]));
        for group in &mut groups {
            let sum = (*group << 30) + carry;
            *group = sum % BILLION;
            carry = sum / BILLION;
        }
        while carry > 0 {
            groups.push(carry % BILLION);
            carry /= BILLION;
        }
    }
    let mut text = if negative { "-".to_owned() } else { String::new() };
    for (at, group) in groups.iter().rev().enumerate() {
        text += &if at == 0 { group.to_string() } else { format!("{group:09}") };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        let cases = [
            (0.1, "0.1"),
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e-7, "1.5e-07"),
            (0.0001, "0.0001"),
            (1e-5, "1e-05"),
            (1e300, "1e+300"),
            (f64::INFINITY, "inf"),
        ];
        for (value, text) in cases {
            assert_eq!(float(value), text);
        }
        assert_eq!(complex(0.0, 1.0), "1j");
        assert_eq!(complex(1.5, -2.0), "(1.5-2j)");
    }

    #[test]
    fn a_long_int_is_written_in_decimal() {
        // 2 ** 100: digits of 30 bits 0, 0, 0, 2 ** 10.
        let mut digits = vec![0; 12];
        digits.extend(1024u32.to_le_bytes());
        assert_eq!(big(true, 4, &digits), "-1267650600228229401496703205376");
        assert_eq!(big(false, 1000, &[]), "int of about 9031 digits");
    }

    #[test]
    fn strings_are_quoted_as_python_quotes_them() {
        let text = |start: &str, length| {
            super::text("str", &StepValue::Text { start: start.as_bytes(), length }).unwrap()
        };
        assert_eq!(text("it's", 4), "\"it's\"");
        assert_eq!(text("a\n\u{1b}", 3), "'a\\n\\x1b'");
        assert_eq!(text("abc", 500), "'abc'…");
    }
}
