use super::*;
use crate::model::ObjectKind;
use crate::testing::{self, Builder};

fn told(mut trace: Trace) -> Vec<String> {
    say_all(&mut trace);
    trace.steps.into_iter().map(|step| step.say).collect()
}

fn said(name: &str) -> Vec<String> {
    told(testing::traces().into_iter().find(|(other, _)| *other == name).expect("a trace of this name").1)
}

/// What is said of the step that follows upon a change.
fn after<T>(prepare: impl FnOnce(&mut Builder) -> T, change: impl FnOnce(&mut Builder, T)) -> String {
    let mut builder = Builder::python("a.py", "");
    builder.line(1);
    let prepared = prepare(&mut builder);
    builder.line(2);
    change(&mut builder, prepared);
    builder.line(3);
    told(builder.finish("exit 0")).pop().expect("a sentence")
}

fn list_of_three(builder: &mut Builder) -> ObjectId {
    let numbers = [builder.int(1000), builder.int(2000), builder.int(3000)];
    let list = builder.list(&numbers);
    builder.name("a", list);
    list
}

#[test]
fn two_names_of_one_list() {
    assert_eq!(
        said("aliasing"),
        [
            "The program begins.",
            "`a` names a new 72-byte list of 2 items at …a50.",
            "`b` names the same list as `a`: 2 references.",
            "`a` grew from 2 to 3 items: 72 → 104 bytes.",
            "The name `a` is gone; the list of 3 items has 1 reference left.",
            "The program ends: exit 0; `b` now names None; the list of 3 items was freed.",
        ]
    );
}

#[test]
fn a_slice_is_a_new_list_of_the_same_objects() {
    assert_eq!(
        said("slice")[2..],
        [
            "`tail` names a new 72-byte list of 2 items: the same objects as in `items[2:4]`; `items[2]` now has 2 references.",
            "A list of 80 bytes was made and freed; the program wrote `9000`.",
            "The program ends: exit 0; the name `items` is gone; the list of 4 items was freed.",
        ]
    );
}

#[test]
fn a_string_grows_in_place_only_while_nothing_else_refers_to_it() {
    assert_eq!(
        said("string")[1..5],
        [
            "`a` names a new 46-byte str at …a10: 'apple'.",
            "`a` now names a new 51-byte str at …a40: 'applesauce'; the str 'apple' now has 1 reference.",
            "`a` grew in place from 51 to 52 bytes: still at …a40.",
            "`b` names the same str as `a`: 2 references.",
        ]
    );
    let moved = after(
        |builder| {
            let text = builder.string("apple");
            builder.name("s", text);
        },
        |builder, ()| {
            let text = builder.string("apple, and sauce with it");
            builder.name("s", text);
        },
    );
    assert_eq!(moved, "`s` now names a new 65-byte str at …a40; the old one was freed.");
}

#[test]
fn a_generator_pauses_and_goes_on() {
    assert_eq!(
        said("generator")[2..10],
        [
            "`squares` is called with `items` = a list of 2 items.",
            "Line 2 is next.",
            "`item` names 30; `items` now has 2 references.",
            "`squares` yields 900 and pauses.",
            "`value` names 900.",
            "The program wrote `900`.",
            "`squares` goes on.",
            "Line 2 is next.",
        ]
    );
}

#[test]
fn calls_and_returns_say_with_what() {
    assert_eq!(
        said("recursion")[4..],
        [
            "Line 2 changed nothing.",
            "`total` is called with `items` = a list of 1 item; `items[1]` now has 2 references.",
            "Line 2 is next.",
            "Line 2 changed nothing.",
            "`total` is called with `items` = an empty list.",
            "Line 2 is next.",
            "Line 2 changed nothing.",
            "`total` returns 0.",
            "`total` returns 600; the frame of `total` is gone with its name `items`.",
            "`total` returns 1100; the frame of `total` is gone with its name `items`.",
            "The program ends: exit 0; the program wrote `1100`.",
        ]
    );
}

#[test]
fn an_exception_is_raised_once_and_then_passes() {
    assert_eq!(
        said("exception")[4..],
        [
            "ZeroDivisionError is raised in `half`: integer division or modulo by zero.",
            "`half` is left by the exception.",
            "The ZeroDivisionError comes to the program; the frame of `half` is gone with its name `number`.",
            "The program ends: exit 1; the program wrote `ZeroDivisionError: integer division or …`.",
        ]
    );
}

#[test]
fn a_cycle_that_no_name_leads_to_is_alive() {
    assert_eq!(
        said("cycle")[1..],
        [
            "`Node` names a new class of 1,064 bytes.",
            "`a` names a new 56-byte Node at …e40.",
            "`a.self` now refers to the Node at …e40.",
            "The program ends: exit 0; `a` now names None; no name leads to the Node at …e40 any more, but it has 1 reference.",
        ]
    );
}

#[test]
fn c_blocks_are_freed_dangle_and_leak() {
    assert_eq!(
        said("c")[1..],
        [
            "`first` now points to a new 16-byte struct node at …2a0.",
            "`second` now points to a new 16-byte struct node at …2b0.",
            "`first->value` is now 1.",
            "`first->next` now points to the 16-byte struct node at …2b0.",
            "The 16-byte struct node at …2a0 was freed; `first` still points to it.",
            "The program wrote `1431654809`.",
            "Nothing points to the 16-byte struct node at …2b0 (line 8) any more: it leaks; `second` is now NULL.",
            "`first` is now NULL.",
            "`main` returns 0.",
            "The program ends: exit 0, and 1 block of 16 bytes leaked.",
        ]
    );
}

#[test]
fn a_pointer_into_a_block_says_how_far() {
    let mut builder = Builder::c("a.c", "");
    let array = builder.malloc("int[10]", 40, 1);
    builder.variable("p", "int *", 8, Some(Ref::to(array)));
    builder.variable("q", "int *", 8, None);
    builder.line(1);
    builder.variable("q", "int *", 8, Some(Ref::Object { id: array, offset: 12 }));
    builder.line(2);
    let said = told(builder.finish("exit 0"));
    assert_eq!(said[1], "`q` now points to the same int[10] as `p`, 12 bytes behind its beginning.");
}

#[test]
fn a_list_that_shrinks_keeps_its_bytes_or_not() {
    let popped = after(list_of_three, |builder, list| {
        builder.edit(list).items.pop();
    });
    assert_eq!(popped, "`a` shrank from 3 to 2 items, and keeps its 80 bytes; the int 3000 was freed.");
    let appended = after(list_of_three, |builder, list| {
        let number = builder.int(4000);
        builder.set(list, "3", Ref::to(number));
    });
    assert_eq!(appended, "`a` grew from 3 to 4 items in the room it had.");
}

#[test]
fn one_slot_is_named_and_several_are_counted() {
    let one = after(list_of_three, |builder, list| {
        let text = builder.string("apple");
        builder.set(list, "1", Ref::to(text));
    });
    assert_eq!(one, "`a[1]` now refers to a new 46-byte str at …ac0: 'apple'; the int 2000 was freed.");
    let all = after(list_of_three, |builder, list| builder.edit(list).items.reverse());
    assert_eq!(all, "`a` changed in 3 places.");
    let key = after(
        |builder| {
            let dict = builder.object("dict", ObjectKind::Mapping, 64);
            builder.name("d", dict);
            dict
        },
        |builder, dict| {
            let number = builder.int(5);
            builder.set(dict, "'k'", Ref::to(number));
        },
    );
    assert_eq!(key, "`d['k']` is now 5.");
}

#[test]
fn what_a_loop_variable_names_is_said_with_its_slot() {
    let item = after(list_of_three, |builder, list| {
        let Ref::Object { id, .. } = builder.edit(list).items[1].1.clone() else { return };
        builder.name("item", id);
    });
    assert_eq!(item, "`item` names `a[1]`: 2000.");
}

#[test]
fn many_deaths_are_counted() {
    let cleared = after(list_of_three, |builder, list| builder.edit(list).items.clear());
    assert_eq!(cleared, "`a` shrank from 3 to 0 items, and keeps its 80 bytes; 3 ints were freed, 84 bytes.");
}

#[test]
fn temporaries_are_told_with_their_bytes() {
    let one = after(list_of_three, |builder, _| builder.temporary("list", 1, 8056));
    assert_eq!(one, "A list of 8,056 bytes was made and freed.");
    let many = after(list_of_three, |builder, _| builder.temporary("int", 1200, 33_600));
    assert_eq!(many, "1,200 ints of 33,600 bytes in all were made and freed.");
}

#[test]
fn a_reference_count_without_a_story_is_told() {
    let counted = after(list_of_three, |builder, list| builder.hold(list, 1));
    assert_eq!(counted, "`a` now has 2 references.");
}

#[test]
fn a_step_in_the_middle_of_a_program_is_not_its_beginning() {
    let mut builder = Builder::python("a.py", "");
    builder.push("f", FrameKind::Function);
    builder.line(7);
    assert_eq!(told(builder.finish("exit 0")), ["The picture begins here."]);
}

#[test]
fn what_has_a_sentence_keeps_it() {
    let mut builder = Builder::c("a.c", "");
    builder.step(Event::Exception, 3, None).say = "Line 3 frees a block twice.".to_owned();
    assert_eq!(told(builder.finish("killed by SIGABRT")), ["Line 3 frees a block twice."]);
}

#[test]
fn names_and_values_that_fill_the_line_are_cut() {
    let long = "x".repeat(500);
    let cut = after(
        |_| (),
        |builder, ()| {
            let value = builder.value(&long, "a\n`b`", 16);
            builder.name(&long, value);
            let other = builder.string("y");
            builder.name("\u{1b}[2J", other);
        },
    );
    assert!(cut.chars().count() <= MAX_SENTENCE, "{cut}");
    assert!(cut.starts_with("`xxxxxxxxxx") && !cut.contains(char::is_control), "{cut}");
}

#[test]
fn a_number_that_others_hold_is_not_new() {
    let names = |others| {
        after(
            |_| (),
            |builder, ()| {
                let number = builder.int(1000);
                builder.hold(number, others);
                builder.name("a", number);
                builder.name("b", number);
            },
        )
    };
    assert_eq!(names(0), "`a` names a new int: 1000; `b` names a new int: 1000.");
    assert_eq!(names(1), "`a` names 1000; `b` names 1000.");
}

#[test]
fn what_only_an_iterator_refers_to_has_no_path() {
    let told = after(
        |builder| {
            let list = list_of_three(builder);
            let walk = builder.object("list_iterator", ObjectKind::Iterator, 48);
            builder.set(walk, "", Ref::to(list));
            builder.name("walk", walk);
            builder.line(2);
        },
        |builder, ()| builder.unname("a"),
    );
    assert!(!told.contains("`walk.`") && told.contains("the list of 3 items"), "{told}");
}
