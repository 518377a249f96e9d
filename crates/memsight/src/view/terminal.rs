//! A trace in the terminal.
//!
//! | module   | what it does                                             |
//! |----------|----------------------------------------------------------|
//! | `plain`  | the steps as plain text                                  |
//! | `moment` | a step, the step before it, and what differs             |
//! | `code`, `stack`, `heap` | the three columns as lines                |
//! | `pane`   | a column and what of it must be seen                     |
//! | `text`   | text that is safe to show                                |

use anyhow::Result;
use memsight_picture::Trace;

use crate::terminal;

mod code;
mod heap;
mod moment;
mod pane;
mod plain;
mod stack;
mod text;

/// Prints the steps as text.
pub(super) fn show(trace: &Trace) -> Result<()> {
    terminal::print(&plain::listing(trace, terminal::stdout_look().width))
}

#[cfg(test)]
mod tests {
    use memsight_picture::States;

    use super::moment::{Moment, Tags};

    #[test]
    fn no_line_of_a_column_is_wider_than_the_column() {
        for (name, trace) in memsight_picture::testing::traces() {
            let (states, tags) = (States::new(&trace), Tags::new(&trace));
            for index in 0..trace.steps.len() {
                let moment = Moment::new(&trace, &states, index).expect("a step of the trace");
                for columns in [26, 35, 60] {
                    let panes = [
                        super::code::pane(&moment, columns),
                        super::stack::pane(&moment, &tags, None, columns),
                        super::heap::pane(&moment, &tags, None, columns),
                    ];
                    for line in panes.iter().flat_map(|pane| &pane.lines) {
                        assert!(line.width() <= columns, "{name}, step {index}, {columns}: {line:?}");
                    }
                }
            }
        }
    }
}
