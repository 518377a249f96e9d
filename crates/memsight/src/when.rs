//! Moments as users write them: `peak`, `end`, `3.5`, `2..3.5`.

use memsight_insight::Moment;

/// A moment of the run; times are seconds since it began.
pub(crate) fn parse(text: &str) -> Result<Moment, String> {
    match text {
        "peak" => return Ok(Moment::Peak),
        "end" => return Ok(Moment::End),
        _ => {}
    }
    match text.split_once("..") {
        Some((from, to)) => Ok(Moment::Between(nanoseconds(from)?, nanoseconds(to)?)),
        None => Ok(Moment::At(nanoseconds(text)?)),
    }
}

fn nanoseconds(text: &str) -> Result<u64, String> {
    let number = text.trim().trim_end_matches('s').trim_end();
    match number.parse::<f64>() {
        Ok(seconds) if seconds >= 0.0 && seconds.is_finite() => Ok((seconds * 1e9).round() as u64),
        _ => Err(format!("'{text}' is no time; write peak, end, seconds as 3.5, or a window as 2..3.5")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_they_are_written() {
        for (text, moment) in [
            ("peak", Moment::Peak),
            ("end", Moment::End),
            ("3.5", Moment::At(3_500_000_000)),
            ("3s", Moment::At(3_000_000_000)),
            ("2..3.5", Moment::Between(2_000_000_000, 3_500_000_000)),
        ] {
            assert_eq!(parse(text), Ok(moment), "{text}");
        }
        for text in ["", "later", "-1", "1..", "nan", "inf"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
