//! The traps that recorders of memory have fallen into, one test each: small C
//! programs with known byte counts.

mod support_c;

use support_c::{Lab, Totals, all_freed};

const PAGE: i64 = 4096;

/// Checks cases of `counts.c`.
fn counts(cases: &[(&str, Totals)]) {
    let lab = Lab::new();
    let program = lab.compile("counts.c");
    for &(case, expected) in cases {
        assert_eq!(lab.cost(&program, &[case]), expected, "{case}");
    }
}

#[test]
fn malloc_and_calloc_are_counted_when_they_succeed() {
    let one_empty_left = Totals { allocations: 2, live_blocks: 1, ..all_freed(1, 100) };
    counts(&[
        ("malloc", one_empty_left),
        ("calloc", all_freed(1, 70)),
        ("failed", all_freed(0, 0)),
        ("inside_libc", all_freed(1, 6)),
    ]);
}

#[test]
fn realloc_is_a_free_and_an_allocation_unless_it_fails() {
    counts(&[
        ("realloc", all_freed(3, 500_070)),
        ("realloc_zero", all_freed(1, 33)),
        ("realloc_failed", all_freed(1, 77)),
        ("reallocarray", all_freed(2, 300)),
    ]);
}

#[test]
fn aligned_allocations_count_what_was_asked_for() {
    counts(&[("aligned", all_freed(5, 1256)), ("sized", all_freed(3, 1210))]);
}

#[test]
fn blocks_above_four_gigabytes_are_counted_to_the_byte() {
    counts(&[("huge", all_freed(3, (5 << 30) + (6 << 30) + (7 << 30)))]);
}

#[test]
fn errno_is_left_alone() {
    // The sizes are 0..100000, and one more each for realloc.
    counts(&[("errno", all_freed(200_000, 99_999 * 100_000 + 100_000))]);
}

#[test]
fn only_anonymous_private_maps_that_can_be_used_are_counted() {
    counts(&[
        ("map", all_freed(1, 4 * PAGE)),
        ("map_uncounted", all_freed(0, 0)),
        ("map_file_kept", all_freed(0, 0)),
    ]);
}

#[test]
fn a_map_ends_when_its_last_part_is_unmapped() {
    let middle_gone = Totals {
        allocations: 1,
        bytes: 8 * PAGE,
        frees: 0,
        freed_bytes: 2 * PAGE,
        live_blocks: 1,
        live_bytes: 6 * PAGE,
    };
    counts(&[("unmap_middle", middle_gone), ("unmap_parts", all_freed(1, 8 * PAGE))]);
}

#[test]
fn mremap_is_a_free_and_an_allocation_unless_it_fails() {
    let one_left = Totals {
        allocations: 3,
        bytes: 12 * PAGE,
        frees: 2,
        freed_bytes: 8 * PAGE,
        live_blocks: 1,
        live_bytes: 4 * PAGE,
    };
    counts(&[
        ("remap", all_freed(3, 806 * PAGE)),
        ("remap_onto", one_left),
        ("remap_failed", all_freed(2, 6 * PAGE)),
    ]);
}

#[test]
fn a_map_over_another_replaces_that_part_of_it() {
    let replaced = Totals {
        allocations: 2,
        bytes: 8 * PAGE,
        frees: 0,
        freed_bytes: 2 * PAGE,
        live_blocks: 2,
        live_bytes: 6 * PAGE,
    };
    let refused =
        Totals { allocations: 1, bytes: 6 * PAGE, live_blocks: 1, live_bytes: 6 * PAGE, ..all_freed(0, 0) };
    counts(&[("map_over", replaced), ("map_over_refused", refused)]);
}

/// Checks cases of `endings.c`.
fn endings(cases: &[(&str, Totals)]) {
    let lab = Lab::new();
    let program = lab.compile("endings.c");
    for &(case, expected) in cases {
        assert_eq!(lab.cost(&program, &[case]), expected, "{case}");
    }
}

fn kept(blocks: i64, bytes: i64) -> Totals {
    Totals { allocations: blocks, bytes, live_blocks: blocks, live_bytes: bytes, ..all_freed(0, 0) }
}

#[test]
fn what_exit_handlers_allocate_is_counted() {
    let in_handlers =
        Totals { allocations: 3, bytes: 1320, frees: 2, freed_bytes: 320, live_blocks: 1, live_bytes: 1000 };
    let in_quick_handlers =
        Totals { allocations: 3, bytes: 1340, frees: 1, freed_bytes: 300, live_blocks: 2, live_bytes: 1040 };
    let in_a_thread =
        Totals { allocations: 2, bytes: 75, frees: 1, freed_bytes: 20, live_blocks: 1, live_bytes: 55 };
    endings(&[
        ("return", in_handlers),
        ("_exit", kept(1, 40)),
        ("quick_exit", in_quick_handlers),
        ("other_thread", in_a_thread),
    ]);
}

#[test]
fn what_destructors_of_thread_data_allocate_is_counted() {
    endings(&[("key", all_freed(5 * 6 + 1, 5 * (10 + 1000 + 4 * 111) + 20))]);
}

#[test]
fn threads_may_go_on_after_the_main_thread_ended() {
    endings(&[("main_thread_first", all_freed(7, 10 + 1000 + 4 * 111 + 20))]);
}

#[test]
fn a_program_that_ends_past_the_c_library_leaves_a_capture() {
    let lab = Lab::new();
    let program = lab.compile("endings.c");
    let cost = |last: &str| lab.record(&[program.to_str().unwrap(), "system_call", last]);
    let (with, without) = (cost("run"), cost("skip"));
    assert_eq!((with.code, without.code), (Some(0), Some(0)));
    assert_eq!(with.totals().less(without.totals()), kept(1, 40));
    let aborted = lab.record(&[program.to_str().unwrap(), "abort", "run"]);
    assert_eq!(aborted.json["signal"], 6, "{}", aborted.stderr);
}

#[test]
fn totals_are_exact_where_threads_free_each_others_blocks() {
    let lab = Lab::new();
    let program = lab.compile("threads.c");
    let bytes = 8 * 100 * (999 * 1000 / 2);
    assert_eq!(lab.cost(&program, &["crossing"]), all_freed(800_000, bytes));
}

#[test]
fn totals_are_exact_over_thousands_of_short_threads() {
    let lab = Lab::new();
    let program = lab.compile("threads.c");
    let expected = all_freed(4000, 1999 * 2000 / 2 + 2000 * 7);
    assert_eq!(lab.cost(&program, &["short"]), expected);
    assert_eq!(lab.cost(&program, &["waves"]), expected);
}

#[test]
fn threads_that_allocate_after_their_end_do_not_shut_each_other_out() {
    let lab = Lab::new();
    let program = lab.compile("threads.c");
    let run = lab.record(&[program.to_str().unwrap(), "late", "run"]);
    assert_eq!((run.code, run.stderr.as_str(), &run.json["complete"]), (Some(0), "", &true.into()));
    // Whoever finds the row of such threads taken is not recorded, but that is not all of them.
    let totals = run.totals();
    assert!(totals.allocations > 5000 * 20, "{totals:?}");
    assert!(totals.live_blocks < 100, "{totals:?}");
}

#[test]
fn a_signal_handler_may_allocate_within_an_allocation() {
    let lab = Lab::new();
    lab.compile_with("reentrant.c", "libreentrant.so", &["-shared", "-fPIC"]);
    let here = lab.folder().to_str().unwrap();
    let flags = ["-L", here, "-lreentrant", &format!("-Wl,-rpath,{here}")];
    let program = lab.compile_with("signals.c", "signals", &flags);
    let run = lab.record(&[program.to_str().unwrap(), "timer", "run"]);
    run.ok();
    let said: Vec<i64> = run.stdout.split_whitespace().map(|number| number.parse().unwrap()).collect();
    let (outside, in_handler) = (said[0], said[1]);
    let totals = run.totals();
    assert!(in_handler > 10_000, "{said:?}");
    // What a handler allocates while the thread is inside the recorder is passed by.
    assert!(totals.allocations >= outside, "{totals:?} {said:?}");
    assert!(totals.allocations <= outside + in_handler + 100, "{totals:?} {said:?}");
    assert!(totals.live_blocks < 100, "{totals:?}");
}

#[test]
fn a_programs_own_signals_and_jumps_out_of_handlers_are_left_alone() {
    let lab = Lab::new();
    let program = lab.compile("signals.c");
    assert_eq!(lab.cost(&program, &["own"]), all_freed(1000, 100_000));
}

#[test]
fn exceptions_pass_through() {
    let lab = Lab::new();
    let program = lab.compile("exceptions.cpp");
    let cost = lab.cost(&program, &[]);
    // Ten blocks and two exceptions a round, whose size is the C++ library's own.
    let exceptions = cost.bytes - 1000 * 10 * 100;
    assert!(exceptions > 0 && exceptions % 1000 == 0, "{cost:?}");
    assert_eq!(cost, all_freed(1000 * (10 + 2), cost.bytes));
}

#[test]
fn libraries_may_be_opened_by_the_hundred() {
    let lab = Lab::new();
    let plugin = lab.compile_with("plugin.c", "plugin.so", &["-shared", "-fPIC"]);
    let program = lab.compile("plugins.c");
    let mut command = vec![program.to_str().unwrap().to_owned(), "many".to_owned()];
    for number in 0..200 {
        let copy = lab.path(&format!("plugin{number}.so"));
        std::fs::copy(&plugin, &copy).unwrap();
        command.push(copy.to_str().unwrap().to_owned());
    }
    let run = lab.record(&command);
    run.ok();
    assert!(run.totals().allocations >= 200 * 3000, "{:?}", run.totals());
}

#[test]
fn a_library_that_binds_past_the_hooks_does_no_harm() {
    let lab = Lab::new();
    let plugin = lab.compile_with("plugin.c", "plugin.so", &["-shared", "-fPIC"]);
    let program = lab.compile("plugins.c");
    let run = lab.record(&[program.as_os_str(), "deepbind".as_ref(), plugin.as_os_str()]);
    run.ok();
    // Blocks freed past the hooks can stay live, but no more than were allocated.
    let totals = run.totals();
    assert!((0..=1100).contains(&totals.live_blocks), "{totals:?}");
}

#[test]
fn a_program_may_close_every_descriptor() {
    let lab = Lab::new();
    let program = lab.compile("descriptors.c");
    let own = lab.path("own.txt");
    let cost = lab.cost(&program, &[own.to_str().unwrap()]);
    assert_eq!(cost, all_freed(100_000, 1000 * (99 * 100 / 2)));
    assert_eq!(std::fs::read_to_string(&own).unwrap(), "mine\n".repeat(20));
}

/// Runs the growing program after `ulimit`: it must not notice.
fn under(limit: &str) -> (Lab, support_c::Run) {
    let lab = Lab::new();
    let program = lab.compile("grower.c");
    let run = lab.record_after(limit, &[program.to_str().unwrap(), "1.5"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(3), "done\n"), "{limit}: {}", run.stderr);
    (lab, run)
}

#[test]
fn a_limit_on_addresses_ends_at_most_the_recording() {
    for limit in [300_000, 100_000, 60_000] {
        let (_lab, run) = under(&format!("ulimit -v {limit}"));
        if run.json["complete"] != true {
            run.only_line();
        }
    }
}

#[test]
fn five_descriptors_are_enough() {
    under("ulimit -n 5").1.complete();
}

#[test]
fn a_capture_that_cannot_grow_is_said_once() {
    let (lab, run) = under("ulimit -f 3");
    assert!(run.only_line().contains("the program runs on"), "{}", run.stderr);
    assert_eq!(lab.report(&run.capture)["complete"], false);
}
