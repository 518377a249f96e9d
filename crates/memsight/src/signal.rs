//! Names of signals, of those that may ask for a snapshot.

/// Signals that say nothing by themselves, or little.
const NAMES: [(&str, i32); 7] = [
    ("USR1", libc::SIGUSR1),
    ("USR2", libc::SIGUSR2),
    ("HUP", libc::SIGHUP),
    ("URG", libc::SIGURG),
    ("WINCH", libc::SIGWINCH),
    ("IO", libc::SIGIO),
    ("PWR", libc::SIGPWR),
];

/// A signal by its name, with `SIG` or without, or by its number.
pub(crate) fn parse(text: &str) -> Result<i32, String> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let (first, last) = (libc::SIGRTMIN(), libc::SIGRTMAX());
    let count = |rest: &str| rest.get(1..).and_then(|digits| digits.parse::<i32>().ok());
    let found = if let Some(rest) = name.strip_prefix("RTMIN") {
        if rest.is_empty() {
            Some(first)
        } else {
            count(rest).filter(|_| rest.starts_with("+")).and_then(|n| first.checked_add(n))
        }
    } else if let Some(rest) = name.strip_prefix("RTMAX") {
        if rest.is_empty() {
            Some(last)
        } else {
            count(rest).filter(|_| rest.starts_with('-')).and_then(|n| last.checked_sub(n))
        }
    } else if let Ok(number) = name.parse::<i32>() {
        Some(number)
    } else {
        NAMES.iter().find(|(known, _)| *known == name).map(|&(_, signal)| signal)
    };
    let may_ask =
        |signal: &i32| NAMES.iter().any(|(_, known)| known == signal) || (first..=last).contains(signal);
    found.filter(may_ask).ok_or_else(|| {
        "a program needs its other signals itself; take one of SIGUSR1, SIGUSR2, SIGHUP, SIGURG, SIGWINCH, \
         SIGIO, SIGPWR, or SIGRTMIN+N"
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_signal_is_known_by_name_and_number_if_it_may_ask() {
        assert_eq!(parse("SIGUSR2"), Ok(libc::SIGUSR2));
        assert_eq!(parse("usr1"), Ok(libc::SIGUSR1));
        assert_eq!(parse("12"), Ok(libc::SIGUSR2));
        assert_eq!(parse("SIGRTMIN+3"), Ok(libc::SIGRTMIN() + 3));
        assert_eq!(parse("RTMAX-1"), Ok(libc::SIGRTMAX() - 1));
        for refused in ["SIGKILL", "9", "SIGSEGV", "RTMIN-1", "RTMIN+99", "RTMINé", "", "nonsense"] {
            assert!(parse(refused).is_err(), "{refused}");
        }
    }
}
