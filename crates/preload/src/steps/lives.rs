//! The objects that were shown, each with one number for its life.
//!
//! An address means the same object until its block is freed, it is found on a free
//! list (its reference count is 0) or it has another type.

use memsight_recorder::memory::{OutOfMemory, PageVec};
use memsight_recorder::table::{Table, mix};

/// An index into the rows of [`Lives`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct LifeId(pub(super) u32);

/// An object that was shown.
#[derive(Clone, Copy)]
pub(super) struct Life {
    pub(super) address: usize,
    pub(super) of_type: usize,
    /// The block that it lies in, 0 if it was not allocated.
    pub(super) block: usize,
    /// Its number in the trace.
    pub(super) number: u32,
    /// A hash of what was said of it last; 0 if that no longer stands.
    pub(super) said: u64,
    /// The step that met it last.
    pub(super) met: u32,
    /// Whether the picture has it now.
    pub(super) is_shown: bool,
    /// Whether it is a value without references, or lies where nothing is allocated.
    pub(super) may_leave: bool,
    is_used: bool,
}

/// All of them.
#[derive(Default)]
pub(super) struct Lives {
    rows: PageVec<Life>,
    unused: PageVec<u32>,
    table: Table,
    numbers: u32,
    /// Numbers of objects that died since the last step.
    pub(super) died: PageVec<u32>,
}

impl Lives {
    pub(super) fn len(&self) -> usize {
        self.rows.len() - self.unused.len()
    }

    pub(super) fn get(&self, id: LifeId) -> &Life {
        &self.rows.as_slice()[id.0 as usize]
    }

    pub(super) fn get_mut(&mut self, id: LifeId) -> &mut Life {
        &mut self.rows.as_mut_slice()[id.0 as usize]
    }

    /// The life that is at an address.
    pub(super) fn at(&self, address: usize) -> Option<LifeId> {
        let rows = &self.rows;
        self.table
            .find(mix(address as u64), |row| rows.as_slice()[row as usize].address == address)
            .map(LifeId)
    }

    /// The life of an object of this type at an address; a new one if there is none.
    pub(super) fn of(&mut self, address: usize, of_type: usize) -> Result<LifeId, OutOfMemory> {
        if let Some(id) = self.at(address) {
            if self.get(id).of_type == of_type {
                return Ok(id);
            }
            self.end(id)?;
        }
        let fresh = Life {
            address,
            of_type,
            block: 0,
            number: self.numbers,
            said: 0,
            met: 0,
            is_shown: false,
            may_leave: false,
            is_used: true,
        };
        self.numbers += 1;
        let row = match self.unused.pop() {
            Some(row) => {
                self.rows.as_mut_slice()[row as usize] = fresh;
                row
            }
            None => {
                self.rows.push(fresh)?;
                self.rows.len() as u32 - 1
            }
        };
        self.table.insert(row, mix(address as u64))?;
        Ok(LifeId(row))
    }

    /// It died.
    pub(super) fn end(&mut self, id: LifeId) -> Result<(), OutOfMemory> {
        let life = *self.get(id);
        self.table.remove(mix(life.address as u64), |row| row == id.0);
        self.get_mut(id).is_used = false;
        self.unused.push(id.0)?;
        if life.is_shown { self.died.push(life.number) } else { Ok(()) }
    }

    pub(super) fn rows(&self) -> u32 {
        self.rows.len() as u32
    }

    pub(super) fn is_alive(&self, id: LifeId) -> bool {
        self.get(id).is_used
    }
}
