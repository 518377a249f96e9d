//! How long blocks lived, in powers of two, at the resolution of ticks.

use crate::amount::Amount;

/// What died, by age.
#[derive(Clone, Debug)]
pub struct Lifetimes {
    /// Freed in the tick that they were allocated in.
    pub within_a_tick: Amount,
    /// `older[n]`: freed at an age of at least 2ⁿ and less than 2ⁿ⁺¹ nanoseconds, and in a later
    /// tick than they were allocated in. Ages are differences of tick ends.
    pub older: [Amount; 64],
}

impl Default for Lifetimes {
    fn default() -> Self {
        Lifetimes { within_a_tick: Amount::default(), older: [Amount::default(); 64] }
    }
}

impl Lifetimes {
    pub(crate) fn add(&mut self, age_ns: u64, amount: Amount) {
        self.older[age_ns.max(1).ilog2() as usize].add(amount);
    }

    /// Adds those of another process.
    pub fn merge(&mut self, other: &Lifetimes) {
        self.within_a_tick.add(other.within_a_tick);
        for (mine, theirs) in self.older.iter_mut().zip(other.older) {
            mine.add(theirs);
        }
    }
}

/// Deaths of the tick that is being read, by the tick of birth: their age is
/// only known once the tick's end is.
#[derive(Default)]
pub(crate) struct PendingDeaths {
    by_birth: Vec<Amount>,
    touched: Vec<u32>,
}

impl PendingDeaths {
    pub(crate) fn add(&mut self, birth: u32, amount: Amount) {
        if amount.is_zero() {
            return;
        }
        let index = birth as usize;
        if index >= self.by_birth.len() {
            self.by_birth.resize(index + 1, Amount::default());
        }
        if self.by_birth[index].is_zero() {
            self.touched.push(birth);
        }
        self.by_birth[index].add(amount);
    }

    /// Hands over every `(birth, amount)` and forgets them.
    pub(crate) fn drain(&mut self, mut each: impl FnMut(u32, Amount)) {
        for birth in self.touched.drain(..) {
            each(birth, std::mem::take(&mut self.by_birth[birth as usize]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_fall_between_powers_of_two() {
        let mut lifetimes = Lifetimes::default();
        for age in [0, 1, 2, 3, 4, u64::MAX] {
            lifetimes.add(age, Amount::new(1, 10));
        }
        assert_eq!(lifetimes.older[0].blocks, 2);
        assert_eq!(lifetimes.older[1].blocks, 2);
        assert_eq!(lifetimes.older[2].blocks, 1);
        assert_eq!(lifetimes.older[63].blocks, 1);
    }

    #[test]
    fn pending_deaths_are_handed_over_once() {
        let mut pending = PendingDeaths::default();
        pending.add(3, Amount::new(1, 5));
        pending.add(3, Amount::new(1, 5));
        pending.add(0, Amount::new(1, 1));
        let mut seen = Vec::new();
        pending.drain(|birth, amount| seen.push((birth, amount)));
        assert_eq!(seen, [(3, Amount::new(2, 10)), (0, Amount::new(1, 1))]);
        pending.drain(|_, _| unreachable!("nothing is left"));
    }
}
