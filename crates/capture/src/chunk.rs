//! The file header and the header of each chunk.
//!
//! ```text
//! file header                         chunk header, then `stored` bytes
//! 0       8         12        16      0        4       8        12
//! ┌───────┬─────────┬─────────┐       ┌────────┬───────┬────────┬──────────┐
//! │ magic │ version │ zeroes  │       │ stored │ plain │ crc-32 │ bytes …  │
//! └───────┴─────────┴─────────┘       └────────┴───────┴────────┴──────────┘
//! ```
//! All integers are little-endian. `stored` is the length of the compressed
//! bytes and, in its top bit, whether a new zstd stream starts here; `plain`
//! is their length decompressed; the checksum covers the first eight bytes of
//! the header and the stored bytes.

/// The first eight bytes of a capture. The high bit and the line ends show a
/// transfer that treated the file as text.
pub const MAGIC: [u8; 8] = *b"\x89msight\n";

/// The version that this crate writes and reads.
pub const VERSION: u32 = 1;

/// Length of the file header in bytes.
pub const FILE_HEADER_LEN: usize = 16;

/// Length of a chunk's header in bytes.
pub const HEADER_LEN: usize = 12;

/// The most that one chunk may hold, decompressed, in bytes. The bound is what
/// keeps a damaged or hostile length from asking for gigabytes.
pub const MAX_PLAIN: usize = 1 << 20;

/// The most that one chunk may take in the file, in bytes: zstd's own bound on
/// incompressible input is well below it.
pub const MAX_STORED: usize = MAX_PLAIN + (MAX_PLAIN >> 7) + 1024;

const STREAM_START: u32 = 1 << 31;

/// The header that every capture of this version begins with.
pub fn file_header() -> [u8; FILE_HEADER_LEN] {
    let mut header = [0; FILE_HEADER_LEN];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    header
}

/// What a chunk's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Compressed length in bytes.
    pub stored: u32,
    /// Decompressed length in bytes.
    pub plain: u32,
    /// Whether a new zstd stream starts with this chunk.
    pub stream_start: bool,
    /// CRC-32 (IEEE) of the rest of the header and the stored bytes.
    pub checksum: u32,
}

impl Header {
    /// The header of a chunk that holds `stored`, `plain` bytes decompressed.
    pub fn of(stored: &[u8], plain: usize, stream_start: bool) -> Self {
        let mut header =
            Header { stored: stored.len() as u32, plain: plain as u32, stream_start, checksum: 0 };
        header.checksum = header.checksum_with(stored);
        header
    }

    /// The header's bytes.
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..8].copy_from_slice(&self.lengths());
        bytes[8..].copy_from_slice(&self.checksum.to_le_bytes());
        bytes
    }

    /// Reads a header. `None` if its lengths are none that a writer makes.
    pub fn from_bytes(bytes: &[u8; HEADER_LEN]) -> Option<Self> {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = *bytes;
        let first = u32::from_le_bytes([a, b, c, d]);
        let header = Header {
            stored: first & !STREAM_START,
            stream_start: first & STREAM_START != 0,
            plain: u32::from_le_bytes([e, f, g, h]),
            checksum: u32::from_le_bytes([i, j, k, l]),
        };
        let lengths_fit = header.stored as usize <= MAX_STORED && header.plain as usize <= MAX_PLAIN;
        lengths_fit.then_some(header)
    }

    /// Whether the checksum fits these stored bytes.
    pub fn fits(&self, stored: &[u8]) -> bool {
        stored.len() == self.stored as usize && self.checksum == self.checksum_with(stored)
    }

    fn lengths(self) -> [u8; 8] {
        let start = if self.stream_start { STREAM_START } else { 0 };
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&(self.stored | start).to_le_bytes());
        bytes[4..].copy_from_slice(&self.plain.to_le_bytes());
        bytes
    }

    fn checksum_with(&self, stored: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.lengths());
        hasher.update(stored);
        hasher.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_header_is_as_drawn() {
        assert_eq!(&file_header(), b"\x89msight\n\x01\0\0\0\0\0\0\0");
    }

    #[test]
    fn a_chunk_header_is_as_drawn() {
        let header = Header::of(b"xyz", 7, true);
        let bytes = header.to_bytes();
        assert_eq!(&bytes[..8], &[3, 0, 0, 0x80, 7, 0, 0, 0]);
        assert_eq!(bytes[8..], header.checksum.to_le_bytes());
        assert_eq!(Header::from_bytes(&bytes), Some(header));
        assert!(header.fits(b"xyz"));
        assert!(!header.fits(b"xyy"));
        assert!(!header.fits(b"xy"));
    }

    #[test]
    fn lengths_no_writer_makes_are_refused() {
        let mut bytes = Header::of(b"", 0, false).to_bytes();
        bytes[2] = 0xff;
        assert_eq!(Header::from_bytes(&bytes), None);
    }
}
