//! Reading a capture: whole, still growing, torn at the end or damaged.
//!
//! The reader hands out records one by one and keeps at most one chunk in
//! memory. Where the file stops before its [`End`](crate::Record::End) record
//! it says how by [`Ending`]; what stands before is good, since every chunk is
//! checked before a record of it is given out.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use zstd_safe::{DCtx, InBuffer, OutBuffer, ResetDirective};

use crate::chunk::{self, FILE_HEADER_LEN, HEADER_LEN, Header, MAGIC, VERSION};
use crate::codec::{Cursor, Malformed};
use crate::record::Record;

/// Why a file could not be read as a capture at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened or read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is empty.
    #[error("{path}: the file is empty; nothing was recorded, or the recording was cut before it began")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file does not begin like a capture.
    #[error("{path}: not a memsight capture (its first bytes are {found:02x?})")]
    NotACapture {
        /// The file.
        path: PathBuf,
        /// Its first bytes, eight at most.
        found: Vec<u8>,
    },
    /// The file was written by another version.
    #[error(
        "{path}: a capture of format version {found}; this memsight reads version {VERSION}. Use the memsight that recorded it, or record again"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The version it has.
        found: u32,
    },
    /// The file holds no start record.
    #[error("{path}: damaged at byte {offset}: {what}; nothing before it can be used")]
    NoStart {
        /// The file.
        path: PathBuf,
        /// Where reading stopped.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
}

/// How a capture ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With its last record.
    Whole,
    /// Between two chunks: the writer was killed, or is still at work.
    Open {
        /// The file's length in bytes.
        offset: u64,
    },
    /// Within a chunk: the last write did not finish.
    Torn {
        /// Where the torn chunk begins.
        offset: u64,
    },
    /// A chunk whose bytes are not what was written.
    Damaged {
        /// Where the damaged chunk begins.
        offset: u64,
        /// What is wrong with it.
        what: String,
    },
}

impl Ending {
    fn offset(&self) -> u64 {
        match self {
            Ending::Whole => 0,
            Ending::Open { offset } | Ending::Torn { offset } | Ending::Damaged { offset, .. } => *offset,
        }
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ending::Whole => write!(f, "whole"),
            Ending::Open { offset } => write!(f, "ends at byte {offset} without its last record"),
            Ending::Torn { offset } => write!(f, "the last write, at byte {offset}, is torn"),
            Ending::Damaged { offset, what } => write!(f, "damaged at byte {offset}: {what}"),
        }
    }
}

/// Reads the records of one capture.
///
/// ```no_run
/// # fn main() -> Result<(), memsight_capture::read::Error> {
/// let mut reader = memsight_capture::Reader::open("orders.msight")?;
/// while let Some(record) = reader.next_record() {
///     println!("{record:?}");
/// }
/// println!("{}", reader.ending());
/// # Ok(()) }
/// ```
pub struct Reader<R = BufReader<File>> {
    input: R,
    path: PathBuf,
    offset: u64,
    decompressor: DCtx<'static>,
    stored: Vec<u8>,
    plain: Vec<u8>,
    at: usize,
    ending: Option<Ending>,
    seen_end: bool,
}

impl Reader {
    /// Opens a capture and checks that it is one.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|source| Error::Io { path: path.into(), source })?;
        Reader::new(BufReader::with_capacity(1 << 16, file), path)
    }
}

impl<R: Read> Reader<R> {
    /// Reads a capture from `input`; `path` is for messages.
    pub fn new(mut input: R, path: &Path) -> Result<Self, Error> {
        let mut header = [0; FILE_HEADER_LEN];
        let len =
            read_up_to(&mut input, &mut header).map_err(|source| Error::Io { path: path.into(), source })?;
        if len == 0 {
            return Err(Error::Empty { path: path.into() });
        }
        if len < FILE_HEADER_LEN || header[..8] != MAGIC {
            let found = header[..len.min(8)].to_vec();
            return Err(Error::NotACapture { path: path.into(), found });
        }
        let version = u32::from_le_bytes([header[8], header[9], header[10], header[11]]);
        if version != VERSION {
            return Err(Error::Version { path: path.into(), found: version });
        }
        let mut reader = Reader {
            input,
            path: path.into(),
            offset: FILE_HEADER_LEN as u64,
            decompressor: DCtx::create(),
            stored: Vec::new(),
            plain: Vec::new(),
            at: 0,
            ending: None,
            seen_end: false,
        };
        reader.require_start()?;
        Ok(reader)
    }

    /// The file's path, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next record, or `None` where the capture ends; then see [`Reader::ending`].
    pub fn next_record(&mut self) -> Option<Record<'_>> {
        loop {
            if self.ending.is_some() {
                return None;
            }
            if self.at >= self.plain.len() {
                self.read_chunk();
                continue;
            }
            // Decoded twice on purpose: a record that borrows from `self` cannot be
            // returned from one arm of a match while the other changes `self`.
            let mut cursor = Cursor::new(&self.plain[self.at..]);
            match Record::decode(&mut cursor) {
                Ok(record) => {
                    self.seen_end = matches!(record, Record::End(_));
                    let from = self.at;
                    self.at += cursor.position();
                    return Record::decode(&mut Cursor::new(&self.plain[from..])).ok();
                }
                Err(Malformed(expected)) => {
                    self.ending = Some(self.damaged(format!("expected {expected}")));
                }
            }
        }
    }

    /// How many bytes of the file were read, up to the end of a chunk.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// How the capture ended. Only final after [`Reader::next_record`] gave `None`.
    pub fn ending(&self) -> Ending {
        self.ending.clone().unwrap_or(Ending::Open { offset: self.offset })
    }

    fn require_start(&mut self) -> Result<(), Error> {
        self.read_chunk();
        let starts = matches!(Record::decode(&mut Cursor::new(&self.plain)), Ok(Record::Start(_)));
        if starts {
            return Ok(());
        }
        let ending = self.ending();
        let what = match &ending {
            Ending::Whole | Ending::Damaged { .. } => "it does not begin with a start record".into(),
            other => other.to_string(),
        };
        Err(Error::NoStart { path: self.path.clone(), offset: ending.offset(), what })
    }

    /// Reads, checks and decompresses the next chunk, or sets the ending.
    fn read_chunk(&mut self) {
        self.plain.clear();
        self.at = 0;
        if let Err(ending) = self.try_read_chunk() {
            self.ending = Some(ending);
        }
    }

    fn try_read_chunk(&mut self) -> Result<(), Ending> {
        let offset = self.offset;
        let mut header = [0; HEADER_LEN];
        match read_up_to(&mut self.input, &mut header) {
            Ok(0) if self.seen_end => return Err(Ending::Whole),
            Ok(0) => return Err(Ending::Open { offset }),
            Ok(HEADER_LEN) => {}
            Ok(_) => return Err(Ending::Torn { offset }),
            Err(error) => return Err(self.damaged(error.to_string())),
        }
        let header = Header::from_bytes(&header).ok_or_else(|| self.damaged("impossible lengths".into()))?;
        self.stored.resize(header.stored as usize, 0);
        match read_up_to(&mut self.input, &mut self.stored) {
            Ok(len) if len == self.stored.len() => {}
            Ok(_) => return Err(Ending::Torn { offset }),
            Err(error) => return Err(self.damaged(error.to_string())),
        }
        if !header.fits(&self.stored) {
            return Err(self.damaged("checksum does not fit".into()));
        }
        self.decompress(&header)?;
        self.offset = offset + (HEADER_LEN + self.stored.len()) as u64;
        Ok(())
    }

    fn decompress(&mut self, header: &Header) -> Result<(), Ending> {
        if header.stream_start && self.decompressor.reset(ResetDirective::SessionOnly).is_err() {
            return Err(self.damaged("the decompressor cannot start".into()));
        }
        self.plain.resize(header.plain as usize, 0);
        let mut input = InBuffer::around(&self.stored);
        let mut output = OutBuffer::around(&mut self.plain[..]);
        while input.pos < self.stored.len() || output.pos() < header.plain as usize {
            let before = (input.pos, output.pos());
            let result = self.decompressor.decompress_stream(&mut output, &mut input);
            if result.is_err() || before == (input.pos, output.pos()) {
                self.plain.clear();
                return Err(self.damaged("it does not decompress".into()));
            }
        }
        Ok(())
    }

    fn damaged(&self, what: String) -> Ending {
        Ending::Damaged { offset: self.offset, what }
    }
}

/// Fills `buffer` as far as the input goes and says how far that was.
fn read_up_to(input: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut len = 0;
    while len < buffer.len() {
        match input.read(&mut buffer[len..]) {
            Ok(0) => break,
            Ok(more) => len += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(len)
}

/// Largest chunk that [`Reader`] accepts, in bytes; see [`chunk::MAX_PLAIN`].
pub const MAX_CHUNK: usize = chunk::MAX_PLAIN;
