//! What to run now, at the end of what a command says.

use crate::look::{Look, columns, fill};

/// Commands, and what each is for, one a line; what it is for is left out where there is no room.
pub fn next(steps: &[(String, String)], look: &Look) -> String {
    let width = steps.iter().map(|(command, _)| columns(command)).max().unwrap_or(0);
    let mut out = String::new();
    for (number, (command, why)) in steps.iter().enumerate() {
        let label = if number == 0 { look.bold("Next ") } else { "     ".into() };
        let fits = width + columns(why) + 9 <= look.width;
        let why = if fits { look.dim(why) } else { String::new() };
        let line = format!("{label}  {}  {why}", look.place(&fill(command, width)));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
