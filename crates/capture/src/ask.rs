//! How a running recording is asked for a snapshot, and how it answers.
//!
//! The writer is a process of its own that blocks all signals, so that one waits
//! there until the writer looks. Its answer is its name, which everybody can read
//! in `/proc/PID/comm`:
//!
//! ```text
//! memsight            nobody has asked
//! memsight asked3     the third request waits until Python allocates something
//! memsight walks3     a copy of the process is being walked
//! memsight taken3     the snapshot is in the capture
//! memsight fails3     it could not be taken
//! memsight never3     there is no Python in the process that could be walked
//! ```

/// The signal that asks, `SIGUSR1`.
pub const SIGNAL: i32 = 10;

/// What it carries (`sigqueue`), so that one that somebody sends to all processes asks nothing.
pub const VALUE: usize = 0x6d73_6b21;

/// The writer's name.
pub const NAME: &str = "memsight";

/// The name of a copy of the process that is being walked: it has the capture open too, and is not asked.
pub const COPY: &str = "memsight copy";

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It waits until Python allocates something.
    Asked,
    /// A copy of the process is being walked.
    Walks,
    /// The snapshot is in the capture.
    Taken,
    /// It could not be taken.
    Fails,
    /// There is no Python in the process that could be walked.
    Never,
}

impl Answer {
    /// All of them.
    pub const ALL: [Answer; 5] = [Answer::Asked, Answer::Walks, Answer::Taken, Answer::Fails, Answer::Never];

    /// Its word in the writer's name.
    pub const fn word(self) -> &'static str {
        match self {
            Answer::Asked => "asked",
            Answer::Walks => "walks",
            Answer::Taken => "taken",
            Answer::Fails => "fails",
            Answer::Never => "never",
        }
    }

    /// From a writer's name: what became of which request, by its last digit.
    ///
    /// ```
    /// use memsight_capture::ask::Answer;
    /// assert_eq!(Answer::from_name("memsight taken3"), Some((Answer::Taken, 3)));
    /// assert_eq!(Answer::from_name("memsight"), None);
    /// assert_eq!(Answer::from_name(memsight_capture::ask::COPY), None);
    /// ```
    pub fn from_name(name: &str) -> Option<(Answer, u32)> {
        let text = name.strip_prefix(NAME)?.strip_prefix(' ')?;
        let answer = Answer::ALL.into_iter().find(|answer| text.starts_with(answer.word()))?;
        let number = text.strip_prefix(answer.word())?.parse().ok()?;
        Some((answer, number))
    }
}
