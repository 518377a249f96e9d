//! Whether the recorder can be loaded into an executable: what its ELF header
//! and its program headers say. Reads no more than those.
//!
//! ```text
//! ELF header, 64 bytes                     program header, 56 bytes
//! 0     4    5    16   18      32    54    56      0     8       32
//! ┌─────┬────┬────┬────┬───────┬─────┬─────┬────┐  ┌─────┬───────┬─────┐
//! │magic│bits│end.│type│machine│phoff│phlen│phnm│  │type │offset │size │
//! └─────┴────┴────┴────┴───────┴─────┴─────┴────┘  └─────┴───────┴─────┘
//! ```

use std::fs::File;
use std::os::unix::fs::FileExt;

/// What kind of executable a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No ELF file.
    NotElf,
    /// For another kind of processor, or of 32 bits.
    OtherMachine,
    /// Statically linked: no loader runs, so nothing can be preloaded.
    Static,
    /// Dynamically linked, with this loader.
    Dynamic {
        /// Path of the loader.
        loader: String,
    },
}

const HEADER_LEN: usize = 64;
const PROGRAM_HEADER_LEN: usize = 56;
const PT_INTERP: u32 = 3;
/// The machine number that this build of memsight is for.
const MACHINE: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };

/// Looks at an executable.
pub(crate) fn kind_of(file: &File) -> Kind {
    let mut header = [0; HEADER_LEN];
    if file.read_exact_at(&mut header, 0).is_err() || header[..4] != *b"\x7fELF" {
        return Kind::NotElf;
    }
    let of_64_bits_little_endian = header[4..6] == [2, 1];
    if !of_64_bits_little_endian || u16_at(&header, 18) != MACHINE {
        return Kind::OtherMachine;
    }
    let (offset, len, count) = (u64_at(&header, 32), u16_at(&header, 54), u16_at(&header, 56));
    if usize::from(len) != PROGRAM_HEADER_LEN {
        return Kind::Static;
    }
    for number in 0..u64::from(count) {
        let mut program_header = [0; PROGRAM_HEADER_LEN];
        let at = offset.saturating_add(number * PROGRAM_HEADER_LEN as u64);
        if file.read_exact_at(&mut program_header, at).is_err() {
            break;
        }
        if u32_at(&program_header, 0) == PT_INTERP {
            return Kind::Dynamic { loader: loader(file, &program_header) };
        }
    }
    Kind::Static
}

fn loader(file: &File, program_header: &[u8; PROGRAM_HEADER_LEN]) -> String {
    const LONGEST_PATH: u64 = 4096;
    let len = u64_at(program_header, 32).min(LONGEST_PATH) as usize;
    let mut path = vec![0; len];
    if file.read_exact_at(&mut path, u64_at(program_header, 8)).is_err() {
        return String::new();
    }
    String::from_utf8_lossy(&path).trim_end_matches('\0').to_owned()
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u64_at_width(bytes, at, 2) as u16
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u64_at_width(bytes, at, 4) as u32
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64_at_width(bytes, at, 8)
}

/// A little-endian integer; bytes beyond the end count as zero.
fn u64_at_width(bytes: &[u8], at: usize, width: usize) -> u64 {
    let bytes = bytes.iter().skip(at).take(width).rev();
    bytes.fold(0, |number, &byte| number << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn kind_of_bytes(bytes: &[u8]) -> Kind {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        kind_of(&file)
    }

    fn elf(program_headers: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_LEN];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[18..20].copy_from_slice(&MACHINE.to_le_bytes());
        bytes[32] = HEADER_LEN as u8;
        bytes[54] = PROGRAM_HEADER_LEN as u8;
        bytes[56] = (program_headers.len() / PROGRAM_HEADER_LEN) as u8;
        bytes.extend_from_slice(program_headers);
        bytes
    }

    #[test]
    fn this_test_is_dynamic_and_has_a_loader() {
        let file = File::open("/proc/self/exe").unwrap();
        assert!(matches!(kind_of(&file), Kind::Dynamic { loader } if loader.starts_with('/')));
    }

    #[test]
    fn an_executable_without_a_loader_is_static() {
        assert_eq!(kind_of_bytes(&elf(&[1; PROGRAM_HEADER_LEN])), Kind::Static);
        assert_eq!(kind_of_bytes(&elf(&[])), Kind::Static);
    }

    #[test]
    fn other_machines_are_told_apart() {
        let mut of_32_bits = elf(&[]);
        of_32_bits[4] = 1;
        assert_eq!(kind_of_bytes(&of_32_bits), Kind::OtherMachine);
        let mut of_another = elf(&[]);
        of_another[18] = 8;
        assert_eq!(kind_of_bytes(&of_another), Kind::OtherMachine);
    }

    #[test]
    fn headers_that_lie_are_harmless() {
        assert_eq!(kind_of_bytes(b"#!/bin/sh\n"), Kind::NotElf);
        assert_eq!(kind_of_bytes(b"\x7fELF"), Kind::NotElf);
        let mut loader = [0xff; PROGRAM_HEADER_LEN];
        loader[..4].copy_from_slice(&PT_INTERP.to_le_bytes());
        assert_eq!(kind_of_bytes(&elf(&loader)), Kind::Dynamic { loader: String::new() });
        let mut beyond = elf(&[]);
        beyond[32..40].fill(0xff);
        beyond[56..58].fill(0xff);
        assert_eq!(kind_of_bytes(&beyond), Kind::Static);
    }
}
