//! Compressed rows: lists of items under numbers, in two arrays.
//!
//! ```text
//! row      0        1   2
//! first  [ 0,       2,  2,    3 ]      row r is items[first[r] .. first[r + 1]]
//! items  [ a, b,        c       ]
//! ```

use std::ops::Range;

/// Lists of items under the numbers from 0.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows<T> {
    first: Vec<u32>,
    items: Vec<T>,
}

impl<T: Copy> Rows<T> {
    /// Sorts items into rows. `pairs` is gone through twice and must give the same
    /// pairs of row and item both times; a row has them in the reverse of that
    /// order, since a row is filled from its end: the array of ends then needs no copy.
    ///
    /// The items must be fewer than 2³², which [`GraphBuilder`](crate::GraphBuilder)
    /// sees to for all that is made of its graphs.
    pub(crate) fn group<I: Iterator<Item = (u32, T)>>(rows: usize, filler: T, pairs: impl Fn() -> I) -> Self {
        let mut first = vec![0u32; rows + 1];
        for (row, _) in pairs() {
            first[row as usize] += 1;
        }
        let mut total = 0;
        for end in &mut first {
            total += *end;
            *end = total;
        }
        let mut items = vec![filler; total as usize];
        for (row, item) in pairs() {
            let at = &mut first[row as usize];
            *at -= 1;
            items[*at as usize] = item;
        }
        Rows { first, items }
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.first.len().saturating_sub(1)
    }

    /// The items of a row.
    #[inline]
    pub(crate) fn row(&self, row: usize) -> &[T] {
        &self.items[self.range(row)]
    }

    /// The items of a row, to be put in another order.
    pub(crate) fn row_mut(&mut self, row: usize) -> &mut [T] {
        let range = self.range(row);
        &mut self.items[range]
    }

    fn range(&self, row: usize) -> Range<usize> {
        self.first[row] as usize..self.first[row + 1] as usize
    }
}

#[cfg(test)]
mod tests {
    use super::Rows;

    #[test]
    fn rows_hold_what_was_put_under_them_last_first() {
        let pairs = [(2u32, 'c'), (0, 'b'), (0, 'a')];
        let rows = Rows::group(4, ' ', || pairs.into_iter());
        let found: Vec<String> = (0..rows.len()).map(|row| rows.row(row).iter().collect()).collect();
        assert_eq!(found, ["ab", "", "c", ""]);
    }
}
