//! Sizes as users write them. Decimal as memsight prints them: `24 MB` is
//! 24,000,000 bytes and so is `24M`; `24 MiB` is 25,165,824.

/// A size in bytes.
///
/// ```text
/// 512   512B   24k   24 kB   1.5GB   1.5 GiB
/// ```
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let trimmed = text.trim();
    let unit_at =
        trimmed.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(unit_at);
    if number.is_empty() {
        return Err(format!("'{text}' is no size; write for example 24MB or 1.5GiB"));
    }
    let unit = unit.trim().to_ascii_lowercase();
    let factor = match UNITS.iter().find(|(name, _)| *name == unit) {
        Some(&(_, factor)) => factor,
        None => return Err(format!("'{unit}' is no unit of bytes; use B, kB, MB, GB, KiB, MiB or GiB")),
    };
    let number: f64 = number
        .replace('_', "")
        .parse()
        .map_err(|_| format!("'{text}' is no size; write for example 24MB or 1.5GiB"))?;
    Ok((number * factor as f64).round() as u64)
}

const UNITS: [(&str, u64); 16] = [
    ("", 1),
    ("b", 1),
    ("byte", 1),
    ("bytes", 1),
    ("k", 1_000),
    ("kb", 1_000),
    ("m", 1_000_000),
    ("mb", 1_000_000),
    ("g", 1_000_000_000),
    ("gb", 1_000_000_000),
    ("t", 1_000_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn sizes_are_read_as_they_are_written() {
        for (text, bytes) in [
            ("512", 512),
            ("512B", 512),
            ("24 MB", 24_000_000),
            ("24M", 24_000_000),
            ("1.5GiB", 1_610_612_736),
            ("64KiB", 65_536),
            ("10 bytes", 10),
            ("1_000k", 1_000_000),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "MB", "12 parsecs", "1.2.3MB", "-5MB"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
