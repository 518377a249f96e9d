//! Which of a capture's snapshots is meant.

use std::path::Path;

use anyhow::{Result, bail};
use memsight_capture::SnapshotReason;
use memsight_insight::Program;

/// One of several snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// The program's end.
    Exit,
    /// Near the peak: the one with most live bytes, of a run that took some near the peak.
    Peak,
    /// The Nth, from 1 on.
    Number(usize),
}

/// `exit`, `peak` or a number.
pub(super) fn parse(text: &str) -> Result<At, String> {
    match text {
        "exit" => Ok(At::Exit),
        "peak" => Ok(At::Peak),
        _ => match text.parse() {
            Ok(number @ 1..) => Ok(At::Number(number)),
            _ => Err("is exit, peak, or a number from 1 on; --snapshots lists them".into()),
        },
    }
}

/// The last snapshot that was not taken near the peak.
pub(super) fn last_asked(program: &Program) -> Option<usize> {
    let all = &program.first().recording.snapshots;
    all.iter().rposition(|snapshot| snapshot.reason != SnapshotReason::Peak).map(|at| at + 1)
}

impl At {
    /// Its number in a capture. `option` is for messages.
    pub(super) fn number_in(self, option: &str, capture: &Path, program: &Program) -> Result<usize> {
        let all = &program.first().recording.snapshots;
        let last_of = |reason: SnapshotReason| {
            all.iter().rposition(|snapshot| snapshot.reason == reason).map(|at| at + 1)
        };
        let most = || {
            let most = all.iter().enumerate().max_by_key(|(at, snapshot)| (snapshot.live_bytes, *at));
            most.map(|(at, _)| at + 1)
        };
        let shown = capture.display();
        match self {
            At::Number(number) if number <= all.len() => Ok(number),
            At::Number(number) => bail!(
                "{option} {number}: {shown} holds {} snapshots; memsight heap {shown} --snapshots lists them",
                all.len()
            ),
            At::Exit => match last_of(SnapshotReason::Exit) {
                Some(number) => Ok(number),
                None => bail!("{option} exit: {shown} has no snapshot of the end; record with --heap exit"),
            },
            At::Peak => match last_of(SnapshotReason::Peak).and_then(|_| most()) {
                Some(number) => Ok(number),
                None => {
                    bail!("{option} peak: {shown} has no snapshot near the peak; record with --heap peak")
                }
            },
        }
    }
}
