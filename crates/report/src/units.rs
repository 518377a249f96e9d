//! Numbers as people read them: two or three digits and a unit. Units are
//! decimal, `1 kB` is 1000 bytes.

/// Bytes: `812 B`, `9.2 GB`.
///
/// ```
/// use memsight_report::units::bytes;
/// assert_eq!(bytes(812), "812 B");
/// assert_eq!(bytes(9_240_000_000), "9.2 GB");
/// ```
pub fn bytes(bytes: u64) -> String {
    scaled(bytes, &["B", "kB", "MB", "GB", "TB", "PB", "EB"])
}

/// A number of things: plain below ten thousand, then `41 k`, `8.0 M`.
pub fn count(count: u64) -> String {
    if count < 10_000 {
        return count.to_string();
    }
    scaled(count, &["", "k", "M", "G", "T", "P", "E"])
}

/// A difference of bytes with its sign: `+1.2 MB`, `−300 B`, `0 B`.
pub fn signed_bytes(difference: i64) -> String {
    match difference {
        0 => "0 B".into(),
        1.. => format!("+{}", bytes(difference.unsigned_abs())),
        _ => format!("−{}", bytes(difference.unsigned_abs())),
    }
}

/// Seconds: `0.031 s`, `9.1 s`, `124 s`, `61 min`.
pub fn seconds(ns: u64) -> String {
    let seconds = ns as f64 / 1e9;
    match seconds {
        ..0.1 => format!("{seconds:.3} s"),
        ..1.0 => format!("{seconds:.2} s"),
        ..100.0 => format!("{seconds:.1} s"),
        ..3600.0 => format!("{seconds:.0} s"),
        _ => format!("{:.0} min", seconds / 60.0),
    }
}

/// A part of a whole: `63%`, `<1%`, and nothing where there is no whole.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    let percent = part as f64 / whole as f64 * 100.0;
    match percent {
        _ if part == 0 => "0%".into(),
        ..1.0 => "<1%".into(),
        _ if part < whole && percent >= 99.5 => "99%".into(),
        _ => format!("{percent:.0}%"),
    }
}

fn scaled(number: u64, units: &[&str]) -> String {
    let mut scaled = number as f64;
    let mut unit = 0;
    // 999.5 would be written as 1000.
    while scaled >= 999.5 && unit + 1 < units.len() {
        scaled /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && scaled < 9.95);
    format!("{scaled:.digits$} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_keep_two_or_three_digits() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (9_949, "9.9 kB"),
            (9_951, "10 kB"),
            (999_499, "999 kB"),
            (999_500, "1.0 MB"),
            (812_000_000, "812 MB"),
            (u64::MAX, "18 EB"),
        ];
        for (number, text) in cases {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn counts_are_plain_as_long_as_they_can_be_read() {
        assert_eq!(count(9_999), "9999");
        assert_eq!(count(41_000), "41 k");
        assert_eq!(count(8_000_000), "8.0 M");
    }

    #[test]
    fn a_share_is_never_rounded_to_all_or_nothing() {
        assert_eq!(share(1, 1000), "<1%");
        assert_eq!(share(999, 1000), "99%");
        assert_eq!(share(1000, 1000), "100%");
        assert_eq!(share(0, 10), "0%");
        assert_eq!(share(1, 0), "");
    }

    #[test]
    fn times_get_fewer_digits_as_they_grow() {
        assert_eq!(seconds(31_000_000), "0.031 s");
        assert_eq!(seconds(310_000_000), "0.31 s");
        assert_eq!(seconds(9_100_000_000), "9.1 s");
        assert_eq!(seconds(124_000_000_000), "124 s");
        assert_eq!(seconds(7_260_000_000_000), "121 min");
    }

    #[test]
    fn differences_carry_their_sign() {
        assert_eq!(signed_bytes(-300), "−300 B");
        assert_eq!(signed_bytes(1_200_000), "+1.2 MB");
        assert_eq!(signed_bytes(i64::MIN), "−9.2 EB");
    }
}
