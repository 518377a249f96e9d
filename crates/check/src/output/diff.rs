//! `--diff`: what fixes would change, as a unified diff that `patch` takes.

use crate::project::Changed;
use similar::TextDiff;

/// The changes of a file, with three lines around each.
pub fn diff(changed: &Changed) -> String {
    let (before, after) = (String::from_utf8_lossy(&changed.before), String::from_utf8_lossy(&changed.after));
    let name = changed.path.to_string_lossy();
    TextDiff::from_lines(&*before, &*after)
        .unified_diff()
        .context_radius(3)
        .header(
            &format!("a/{}", name.trim_start_matches("./")),
            &format!("b/{}", name.trim_start_matches("./")),
        )
        .to_string()
}
