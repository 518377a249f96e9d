//! How text looks: what it means is always said by a sign as well.

use ratatui::style::{Color, Modifier, Style};

use super::text::Ink;

/// Okabe and Ito's bluish green and orange, as near as 256 colours come: readable on light and dark.
const GREEN: Color = Color::Indexed(36);
const ORANGE: Color = Color::Indexed(172);

/// The look of a piece of text.
pub(super) fn style(ink: Ink, color: bool) -> Style {
    let plain = Style::new();
    let colored = |hue| if color { plain.fg(hue) } else { plain };
    match ink {
        Ink::Plain => plain,
        Ink::Dim => plain.add_modifier(Modifier::DIM),
        Ink::Strong => plain.add_modifier(Modifier::BOLD),
        Ink::New => colored(GREEN).add_modifier(Modifier::BOLD),
        Ink::Changed => colored(ORANGE).add_modifier(Modifier::BOLD),
        Ink::Gone => plain.add_modifier(Modifier::DIM | Modifier::CROSSED_OUT),
        Ink::Next => plain.add_modifier(Modifier::BOLD | Modifier::REVERSED),
    }
}

/// The look of what is selected, over that of its text.
pub(super) fn selected() -> Style {
    Style::new().remove_modifier(Modifier::DIM).add_modifier(Modifier::REVERSED)
}

/// The look of what the selected name leads to, or of what leads to the selected object.
pub(super) fn linked() -> Style {
    Style::new().add_modifier(Modifier::UNDERLINED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_every_ink_but_plain_still_differs_from_it() {
        let inks = [Ink::Dim, Ink::Strong, Ink::New, Ink::Changed, Ink::Gone, Ink::Next];
        for ink in inks {
            assert_eq!(style(ink, false).fg, None);
            assert_ne!(style(ink, false), style(Ink::Plain, false), "{ink:?}");
        }
    }
}
