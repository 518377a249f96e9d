//! Text without allocation: short buffers and the few conversions needed.

use core::ffi::{CStr, c_char};

/// A string of at most `N - 1` bytes that is always ended by a NUL.
pub(crate) struct Buffer<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Buffer<N> {
    pub(crate) const fn new() -> Self {
        Buffer { bytes: [0; N], len: 0 }
    }

    /// Appends bytes as far as they fit, and says whether they did.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> bool {
        let fits = bytes.len().min(N - 1 - self.len);
        self.bytes[self.len..self.len + fits].copy_from_slice(&bytes[..fits]);
        self.len += fits;
        self.bytes[self.len] = 0;
        fits == bytes.len()
    }

    /// Appends a number in decimal.
    pub(crate) fn push_number(&mut self, mut number: u64) -> bool {
        let mut digits = [0; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return self.push(&digits[at..]);
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
        self.bytes[0] = 0;
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(crate) fn as_ptr(&self) -> *const c_char {
        self.bytes.as_ptr().cast()
    }
}

/// A variable of the environment as it was when the process began.
pub(crate) fn env(name: &CStr) -> Option<&'static [u8]> {
    // SAFETY: getenv reads the environment, which lives as long as the process.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    // SAFETY: a value is a NUL-ended string.
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }.to_bytes())
}

/// The number that the text begins with.
pub(crate) fn leading_number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    let mut number = None;
    for digit in digits {
        let value = u64::from(digit - b'0');
        number = Some(number.unwrap_or(0u64).saturating_mul(10).saturating_add(value));
    }
    number
}

/// What an errno means, for the few that matter here.
pub(crate) fn errno_text(errno: i32) -> &'static [u8] {
    match errno {
        libc::ENOSPC | libc::EDQUOT => b"no space left on the device",
        libc::EFBIG => b"the file would be larger than the limit allows",
        libc::EACCES | libc::EPERM => b"permission denied",
        libc::ENOENT => b"the folder does not exist",
        libc::EEXIST => b"the file exists already",
        libc::EROFS => b"the file system is read-only",
        libc::EMFILE | libc::ENFILE => b"too many open files",
        libc::EAGAIN => b"no more processes are allowed",
        libc::ENOMEM => b"out of memory",
        libc::ESRCH => b"the process that writes the capture was killed",
        libc::EIO => b"input/output error",
        _ => b"the system refused",
    }
}
