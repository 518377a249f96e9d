//! When and where a benchmark was run.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::python::Python;

/// The day, the machine and the interpreter of a benchmark.
#[derive(Debug, Serialize)]
pub(super) struct Setting {
    /// `2026-01-31`, in UTC.
    pub(super) date: String,
    /// Version of CPython.
    pub(super) python: String,
    /// Processors that this process may use.
    pub(super) cores: usize,
    /// The machine's memory in bytes.
    pub(super) memory_bytes: u64,
    /// What the processor calls itself.
    pub(super) processor: String,
    /// Rounds run.
    pub(super) rounds: usize,
}

impl Setting {
    /// Here and now.
    pub(super) fn of(python: &Python, rounds: usize) -> Self {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| -> Option<String> {
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
        let kilobytes: u64 = memory.trim_end_matches(" kB").parse().unwrap_or(0);
        Setting {
            date: date_of_day(seconds / 86_400),
            python: python.version_text(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: kilobytes * 1024,
            processor: field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown".into()),
            rounds,
        }
    }

    /// All of it in a sentence.
    pub(super) fn sentence(&self) -> String {
        let Setting { date, python, cores, memory_bytes, processor, rounds } = self;
        let gigabytes = *memory_bytes as f64 / f64::from(1 << 30);
        format!(
            "Measured on {date} with CPython {python}, {rounds} rounds, on {cores} cores of {processor} \
             with {gigabytes:.0} GiB of memory."
        )
    }
}

/// The date of a day counted from 1970-01-01 (Howard Hinnant's `civil_from_days`).
fn date_of_day(day: u64) -> String {
    let day = day + 719_468; // counted from 0000-03-01, so that a leap day ends its year
    let (era, day_of_era) = (day / 146_097, day % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day_of_month:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        assert_eq!(date_of_day(0), "1970-01-01");
        assert_eq!(date_of_day(59), "1970-03-01");
        assert_eq!(date_of_day(11_016), "2000-02-29");
        assert_eq!(date_of_day(11_017), "2000-03-01");
        assert_eq!(date_of_day(20_453), "2025-12-31");
    }
}
