//! Reading and writing the primitives of a record: LEB128 integers and
//! length-prefixed bytes. Both sides are total: writing fails only when the
//! buffer is full, reading only with [`Malformed`].

/// The output buffer has no room for what was to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// The bytes are not what a writer makes. Says what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// A bounded output buffer.
pub struct Out<'a> {
    buffer: &'a mut [u8],
    len: usize,
}

impl<'a> Out<'a> {
    /// Starts writing at the front of `buffer`.
    pub fn new(buffer: &'a mut [u8]) -> Self {
        Out { buffer, len: 0 }
    }

    /// What was written so far.
    pub fn written(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or(&[])
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that still fit.
    pub fn room(&self) -> usize {
        self.buffer.len() - self.len
    }

    /// Forgets everything after the first `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    pub(crate) fn byte(&mut self, byte: u8) -> Result<(), Full> {
        let place = self.buffer.get_mut(self.len).ok_or(Full)?;
        *place = byte;
        self.len += 1;
        Ok(())
    }

    /// An unsigned LEB128 integer: seven bits a byte, low bits first, the top
    /// bit says that more follow.
    pub(crate) fn int(&mut self, mut value: u64) -> Result<(), Full> {
        while value >= 0x80 {
            self.byte(value as u8 | 0x80)?;
            value >>= 7;
        }
        self.byte(value as u8)
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let end = self.len.checked_add(bytes.len()).ok_or(Full)?;
        self.buffer.get_mut(self.len..end).ok_or(Full)?.copy_from_slice(bytes);
        self.len = end;
        Ok(())
    }

    /// Bytes behind their length.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.int(bytes.len() as u64)?;
        self.raw(bytes)
    }
}

/// A position in bytes that are being read.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Starts reading at the front of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Cursor { bytes, at: 0 }
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Whether everything was read.
    pub fn at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Malformed> {
        let byte = *self.bytes.get(self.at).ok_or(Malformed("a byte after the end"))?;
        self.at += 1;
        Ok(byte)
    }

    pub(crate) fn int(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(Malformed("an integer of more than 64 bits"));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed("an integer of more than 64 bits"))
    }

    pub(crate) fn int32(&mut self) -> Result<u32, Malformed> {
        u32::try_from(self.int()?).map_err(|_| Malformed("an integer of more than 32 bits"))
    }

    pub(crate) fn raw(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let end = self.at.checked_add(len).ok_or(Malformed("a length beyond the end"))?;
        let bytes = self.bytes.get(self.at..end).ok_or(Malformed("a length beyond the end"))?;
        self.at = end;
        Ok(bytes)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let len = usize::try_from(self.int()?).map_err(|_| Malformed("a length beyond the end"))?;
        self.raw(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_every_length_come_back() {
        for shift in 0..64 {
            for value in [1u64 << shift, (1u64 << shift) - 1, u64::MAX >> shift] {
                let mut buffer = [0; 10];
                let mut out = Out::new(&mut buffer);
                out.int(value).unwrap();
                let mut cursor = Cursor::new(out.written());
                assert_eq!(cursor.int(), Ok(value));
                assert!(cursor.at_end());
            }
        }
    }

    #[test]
    fn an_integer_that_never_ends_is_malformed() {
        assert!(Cursor::new(&[0xff; 20]).int().is_err());
        assert!(Cursor::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]).int().is_err());
        assert!(Cursor::new(&[0x80]).int().is_err());
    }

    #[test]
    fn a_full_buffer_is_said_and_nothing_is_written_past_it() {
        let mut buffer = [0; 3];
        let mut out = Out::new(&mut buffer);
        assert_eq!(out.bytes(b"abc"), Err(Full));
        out.truncate(0);
        assert_eq!(out.bytes(b"ab"), Ok(()));
        assert_eq!(out.byte(1), Err(Full));
    }

    #[test]
    fn a_length_beyond_the_end_is_malformed() {
        assert!(Cursor::new(&[200, 1, 2, 3]).bytes().is_err());
        assert!(Cursor::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]).bytes().is_err());
    }
}
