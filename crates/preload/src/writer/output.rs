//! The capture file: records into a buffer, the buffer through zstd, chunks to disk.

use core::ffi::c_char;

use memsight_capture::chunk::{self, Header};
use memsight_capture::{Full, Out, Record};
use memsight_recorder::ledger::{Sink, Stopped};
use memsight_recorder::{memory, syscall};
use zstd_safe::zstd_sys as zstd;

use super::system;
use crate::graph::Destination;

/// Records are gathered up to this, in bytes; then they become a chunk.
const PLAIN: usize = 256 << 10;
const STORED: usize = PLAIN + (PLAIN >> 7) + 1024;

/// The file's window is this long: 2^18 bytes tell a tick from the one before,
/// and the compressor keeps to little memory.
const WINDOW_LOG: u32 = 18;
const LEVEL: i32 = 1;

/// An open capture.
pub(super) struct Output {
    file: usize,
    pid: u32,
    plain: &'static mut [u8],
    len: usize,
    /// Room for a chunk's header, then for the compressed bytes.
    stored: &'static mut [u8],
    compressor: *mut zstd::ZSTD_CCtx,
    stream_start: bool,
    /// The length of the file that is known to be whole.
    written: usize,
}

impl Output {
    /// Creates the capture.
    pub(super) fn open(path: *const c_char, pid: u32) -> Result<Self, Stopped> {
        let plain = slice(PLAIN)?;
        let stored = slice(chunk::HEADER_LEN + STORED)?;
        let compressor = compressor()?;
        let create = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC;
        // SAFETY: open takes a NUL-ended path.
        let file = unsafe { syscall!(OPEN, path, create, 0o600) };
        if file < 0 {
            return Err(Stopped::Io(-file as i32));
        }
        // SAFETY: locks our own descriptor; readers see by it that we are at work.
        unsafe { syscall!(FLOCK, file, libc::LOCK_EX | libc::LOCK_NB) };
        let mut output = Output {
            file: file as usize,
            pid,
            plain,
            len: 0,
            stored,
            compressor,
            stream_start: true,
            written: 0,
        };
        output.write_out(&chunk::file_header())?;
        Ok(output)
    }

    /// Writes what was gathered as a chunk.
    pub(super) fn flush(&mut self) -> Result<(), Stopped> {
        if self.len == 0 {
            return Ok(());
        }
        let (head, body) = self.stored.split_at_mut(chunk::HEADER_LEN);
        let mut input = zstd::ZSTD_inBuffer { src: self.plain.as_ptr().cast(), size: self.len, pos: 0 };
        let mut output = zstd::ZSTD_outBuffer { dst: body.as_mut_ptr().cast(), size: body.len(), pos: 0 };
        // SAFETY: the context is ours, and both buffers are described by their own lengths.
        let left = unsafe {
            zstd::ZSTD_compressStream2(
                self.compressor,
                &mut output,
                &mut input,
                zstd::ZSTD_EndDirective::ZSTD_e_flush,
            )
        };
        if left != 0 || input.pos != self.len {
            return Err(Stopped::OutOfMemory);
        }
        let stored = output.pos;
        let header = Header::of(&body[..stored], self.len, self.stream_start);
        head.copy_from_slice(&header.to_bytes());
        self.len = 0;
        self.stream_start = false;
        let (whole, bytes) = (self.stored.as_ptr(), chunk::HEADER_LEN + stored);
        // SAFETY: the buffer is `self`'s own and is not changed while it is written out.
        self.write_out(unsafe { core::slice::from_raw_parts(whole, bytes) })
    }

    fn write_out(&mut self, bytes: &[u8]) -> Result<(), Stopped> {
        let mut rest = bytes;
        while !rest.is_empty() {
            // SAFETY: writes the bytes of a slice.
            let result = unsafe { syscall!(WRITE, self.file, rest.as_ptr(), rest.len()) };
            if result == -(libc::EINTR as isize) {
                continue;
            }
            if result <= 0 {
                // SAFETY: cuts our own file back to its last whole chunk.
                unsafe { syscall!(FTRUNCATE, self.file, self.written) };
                return Err(Stopped::Io(-result as i32));
            }
            rest = &rest[result as usize..];
        }
        self.written += bytes.len();
        Ok(())
    }
}

impl Output {
    /// Takes a record that is encoded.
    pub(super) fn encoded(&mut self, record: &[u8]) -> Result<(), Stopped> {
        if record.len() > self.plain.len() - self.len {
            self.flush()?;
        }
        if let Some(place) = self.plain.get_mut(self.len..self.len + record.len()) {
            place.copy_from_slice(record);
            self.len += record.len();
        }
        Ok(())
    }
}

impl Sink for Output {
    fn record(&mut self, record: &Record<'_>) -> Result<(), Stopped> {
        for _ in 0..2 {
            let mut out = Out::new(&mut self.plain[self.len..]);
            if record.encode(&mut out) != Err(Full) {
                self.len += out.len();
                return Ok(());
            }
            self.flush()?;
        }
        // No record is longer than the buffer but one with a monstrous name.
        Ok(())
    }

    fn thread_name(&mut self, tid: u32, name: &mut [u8; 16]) -> usize {
        system::thread_name(self.pid, tid, name)
    }
}

impl Destination for Output {
    fn flush(&mut self) -> Result<(), Stopped> {
        self.flush()
    }

    fn written(&self) -> usize {
        self.written
    }

    fn resume(&mut self, written: usize) -> Result<(), Stopped> {
        const FROM_START: usize = 0;
        // SAFETY: cuts our own file to whole chunks, and goes on at its end.
        unsafe {
            syscall!(FTRUNCATE, self.file, written);
            syscall!(LSEEK, self.file, written, FROM_START);
        }
        // The other process's compressor has seen what ours has not.
        // SAFETY: the context is ours.
        unsafe { zstd::ZSTD_CCtx_reset(self.compressor, zstd::ZSTD_ResetDirective::ZSTD_reset_session_only) };
        self.stream_start = true;
        self.written = written;
        Ok(())
    }
}

fn slice(bytes: usize) -> Result<&'static mut [u8], Stopped> {
    let memory = memory::map(bytes)?;
    // SAFETY: a fresh mapping of this length that nobody else has.
    Ok(unsafe { core::slice::from_raw_parts_mut(memory, bytes) })
}

/// A compressor in memory of its own: zstd never calls an allocator for it.
fn compressor() -> Result<*mut zstd::ZSTD_CCtx, Stopped> {
    // SAFETY: plain computations on plain values.
    let (parameters, bytes) = unsafe {
        let mut parameters = zstd::ZSTD_getCParams(LEVEL, 1 << WINDOW_LOG, 0);
        parameters.windowLog = parameters.windowLog.min(WINDOW_LOG);
        (parameters, zstd::ZSTD_estimateCStreamSize_usingCParams(parameters))
    };
    let workspace = memory::map(bytes + 4096)?;
    // SAFETY: the workspace is page-aligned, of this length, and never given back.
    let context = unsafe { zstd::ZSTD_initStaticCCtx(workspace.cast(), bytes + 4096) };
    if context.is_null() {
        return Err(Stopped::OutOfMemory);
    }
    use zstd::ZSTD_cParameter as P;
    for (parameter, value) in [
        (P::ZSTD_c_compressionLevel, LEVEL),
        (P::ZSTD_c_windowLog, parameters.windowLog as i32),
        (P::ZSTD_c_chainLog, parameters.chainLog as i32),
        (P::ZSTD_c_hashLog, parameters.hashLog as i32),
        (P::ZSTD_c_searchLog, parameters.searchLog as i32),
        (P::ZSTD_c_minMatch, parameters.minMatch as i32),
        (P::ZSTD_c_targetLength, parameters.targetLength as i32),
        (P::ZSTD_c_strategy, parameters.strategy as i32),
    ] {
        // SAFETY: the context is ours and has begun no frame.
        unsafe { zstd::ZSTD_CCtx_setParameter(context, parameter, value) };
    }
    Ok(context)
}
