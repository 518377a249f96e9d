//! Amounts, articles and types as a sentence has them.

/// `8,056`.
pub(crate) fn amount(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 item`, `12 items`.
pub(crate) fn count(number: u64, of: &str) -> String {
    match number {
        1 => format!("1 {of}"),
        _ => format!("{} {}", amount(number), plural(of)),
    }
}

/// The plural of a type's name.
pub(crate) fn plural(of: &str) -> String {
    let ends = |endings: &[&str]| endings.iter().any(|ending| of.ends_with(ending));
    match of.strip_suffix('y') {
        Some(stem) if !ends(&["ay", "ey", "oy", "uy"]) => format!("{stem}ies"),
        _ if ends(&["s", "x", "z", "ch", "sh"]) => format!("{of}es"),
        _ => format!("{of}s"),
    }
}

/// With `a` or `an`, as it is said aloud.
pub(crate) fn with_article(words: &str) -> String {
    match sounds_like_a_vowel(words) {
        true => format!("an {words}"),
        false => format!("a {words}"),
    }
}

fn sounds_like_a_vowel(words: &str) -> bool {
    let word = words.split([' ', '-', '.']).next().unwrap_or_default().trim_start_matches('_');
    if word.starts_with(|first: char| first.is_ascii_digit()) {
        // An eight, an eleven thousand, an eighteen; but a hundred and ten.
        let leading = word.split(',').next().unwrap_or_default();
        return word.starts_with('8') || matches!(leading, "11" | "18");
    }
    let mut letters = word.chars();
    let (first, second) = (letters.next().unwrap_or('x'), letters.next().unwrap_or('x'));
    if first.is_ascii_uppercase() && second.is_ascii_uppercase() {
        return "AEFHILMNORSX".contains(first);
    }
    let lower = word.to_lowercase();
    let like_you = ["uni", "use", "usa", "util", "eu", "one"];
    "aeiou".contains(first.to_ascii_lowercase()) && !like_you.iter().any(|start| lower.starts_with(start))
}

/// Not more than so many characters, the last of them `…` if there were more. What would
/// break a line or its meaning becomes a question mark.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let plain = |letter: char| match letter {
        letter if letter.is_control() => '?',
        letter => letter,
    };
    match text.chars().nth(most) {
        None => text.chars().map(plain).collect(),
        Some(_) => text.chars().take(most.saturating_sub(1)).map(plain).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_thousands_separators() {
        let texts = [0, 999, 1000, 8056, 12_431, 1_000_000].map(amount);
        assert_eq!(texts, ["0", "999", "1,000", "8,056", "12,431", "1,000,000"]);
        assert_eq!(amount(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn articles_follow_the_sound() {
        let an =
            ["int", "8,056-byte list", "11-byte string", "18,000-byte list", "HTTPError", "object", "_Item"];
        for words in an {
            assert_eq!(with_article(words), format!("an {words}"));
        }
        let a = [
            "list",
            "110-byte string",
            "1,100-byte list",
            "URLError",
            "User",
            "unicode",
            "53-byte string",
            "",
        ];
        for words in a {
            assert_eq!(with_article(words), format!("a {words}"));
        }
    }

    #[test]
    fn plurals_are_english() {
        assert_eq!(
            ["list", "dict", "Class", "Entry", "Key", "Box"].map(plural).join(" "),
            "lists dicts Classes Entries Keys Boxes"
        );
        assert_eq!(
            (count(1, "byte"), count(12_431, "item")),
            ("1 byte".to_owned(), "12,431 items".to_owned())
        );
    }

    #[test]
    fn a_cut_text_says_so_and_keeps_to_its_line() {
        assert_eq!(cut("apple", 5), "apple");
        assert_eq!(cut("apples", 5), "appl…");
        assert_eq!(cut("a\nb\x1b[", 9), "a?b?[");
    }
}
