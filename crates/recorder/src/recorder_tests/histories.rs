//! Random histories: whatever a program does, the capture says what a list of
//! its events says.

use memsight_capture::Domain;
use proptest::prelude::*;

use super::world::World;
use crate::memory;

/// One random number says what happens next.
fn step(world: &mut World<'_>, random: u64, forks: bool) {
    let pick = |shift: u32| (random >> shift) as usize & 0xff;
    let (a, b, c) = (pick(8), pick(16), pick(24));
    let task = pick(32) % world.tasks.len();
    let text = (c % 16) as u32;
    let offset = (pick(40) % 6) as u32;
    let domain = Domain::ALL[pick(48) % 4];
    match random % 64 {
        0..8 => world.call(task, a % 10, text, offset),
        8..13 => world.ret(task),
        13..16 => world.go_to(task, offset),
        16 => world.call_shim(task),
        17 | 18 => world.yield_(task),
        19 | 20 => world.resume(task, a, offset),
        21 => world.end_generator(),
        22 | 23 => world.code_dies(a % 10),
        24..38 => world.malloc(task, domain, a, size(b, c)),
        38..48 => world.free(task, a, b < 16),
        48 => world.free_unknown(task, a),
        49..53 => world.realloc(task, domain, a, size(b, c), pick(56)),
        53 | 54 => world.mmap(task, a, b, c),
        55 => world.munmap(task, a, b),
        56 => world.linger(task),
        57 if world.tasks.len() < 5 => world.attach(),
        58 if forks => world.fork(task),
        59..62 => world.tick(),
        _ => world.malloc(task, domain, a, b as u64),
    }
}

fn size(kind: usize, choice: usize) -> u64 {
    match kind % 16 {
        0 => 0,
        1 => u64::from(u32::MAX) - 1 + choice as u64 % 3,
        2 => (choice as u64) << 32,
        3 => 1 << 20,
        _ => choice as u64 + 1,
    }
}

fn run(history: &[u64], forks: bool) {
    let mut world = World::new();
    world.attach();
    for &random in history {
        step(&mut world, random, forks);
    }
    world.finish();
    // SAFETY: the world with everything that it mapped is gone.
    unsafe { memory::of_this_test::unmap_all() };
}

fn history() -> impl Strategy<Value = Vec<u64>> {
    proptest::collection::vec(any::<u64>(), 250..350)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1200, max_shrink_time: 15_000, ..ProptestConfig::default() })]

    #[test]
    fn a_capture_says_what_the_list_of_events_says(history in history()) {
        run(&history, false);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, max_shrink_time: 15_000, ..ProptestConfig::default() })]

    #[test]
    fn the_capture_of_a_child_says_what_happened_since_the_fork(history in history()) {
        run(&history, true);
    }
}
