//! C programs, step by step: what is shown is what is there, and valgrind says the same.

mod support_c;
mod view_c_support;

use serde_json::Value;

use view_c_support::{Valgrind, View, gallery, view, view_text};

/// The standing of each object of a step, by its type.
fn standings(step: &Value) -> Vec<(String, String)> {
    let heap = step["heap"].as_object().expect("a step has a heap");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all: Vec<_> =
        heap.values().map(|object| (text(&object["type"]), text(&object["standing"]))).collect();
    all.sort();
    all
}

#[test]
fn a_list_that_loses_a_node_with_its_memory_and_one_without() {
    let view = view(&gallery("list_delete.c"), &[]);
    // Before the node is freed nothing but `gone` leads to it, and then nothing but what dangles.
    let deleting = view.steps().iter().rposition(|step| view.function(step) == "delete_next").unwrap();
    let returns = &view.steps()[deleting];
    assert_eq!(returns["event"], "return");
    let gone = view.target(returns, "gone");
    assert_eq!(returns["heap"][&gone]["standing"], "freed");
    let after = &view.steps()[deleting + 1];
    assert_eq!(after["died"], serde_json::json!([gone]));
    // The lost node is on its shelf from the next line on, and to the end.
    let lost = view.unreached(view.last());
    assert_eq!(lost.len(), 1);
    assert_eq!(lost[0]["items"][0][1]["value"], "3");
    assert_eq!(view.first_unreached_line(), 27);
    assert_eq!(view.leaked(), Valgrind::of("list_delete.c").leaked());
}

#[test]
fn a_tree_is_deleted_from_its_leaves_up() {
    let view = view(&gallery("tree_delete.c"), &[]);
    let most = view.steps().iter().map(|step| standings(step).len()).max();
    assert_eq!(most, Some(4));
    let died: Vec<&Value> = view.steps().iter().flat_map(|step| step["died"].as_array().unwrap()).collect();
    assert_eq!(died.len(), 4);
    let deepest = view.steps().iter().map(|step| step["stack"].as_array().unwrap().len()).max();
    assert_eq!(deepest, Some(5), "main and four calls");
    assert_eq!(view.leaked(), (0, 0));
    assert_eq!(Valgrind::of("tree_delete.c").leaked(), (0, 0));
}

#[test]
fn texts_lie_in_the_program_in_a_frame_and_on_the_heap() {
    let view = view(&gallery("strings.c"), &[]);
    let step = view.at_line(15);
    let object = |name: &str| step["heap"][view.target(step, name)].clone();
    assert_eq!(object("fixed")["standing"], "static");
    assert_eq!(object("fixed")["value"], "\"apple\"");
    assert_eq!(object("local")["standing"], "stack");
    assert_eq!((&object("local")["type"], &object("local")["bytes"]), (&"char [16]".into(), &16.into()));
    assert_eq!(object("grown")["value"], "\"applesauce\"");
    assert_eq!(object("grown")["bytes"], 4000);
    assert_eq!((&object("copy")["value"], &object("copy")["bytes"]), (&"\"applesauce\"".into(), &11.into()));
    assert_eq!(view.stdout, "apple Apple applesauce applesauce\n");
    assert_eq!(view.at_line(16)["stdout"], view.stdout);
    assert_eq!(view.leaked(), Valgrind::of("strings.c").leaked());
}

#[test]
fn an_array_of_structs_is_one_object_and_a_pointer_leads_into_it() {
    let view = view(&gallery("structs.c"), &[]);
    let step = view.at_line(21);
    let points = &step["heap"][view.target(step, "points")];
    let items: Vec<String> = points["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| format!("{}={}", item[0], item[1]["value"]))
        .collect();
    assert_eq!(items.join(" ").replace('"', ""), "[0].x=1 [0].y=2 [1].x=30 [1].y=4 [2].x=5 [2].y=6");
    let second = view.name(step, "second");
    assert_eq!((&second["ref"], &second["offset"]), (&view.target(step, "points").into(), &8.into()));
    let line = &step["heap"][view.target(step, "line")];
    assert_eq!(line["items"][4], serde_json::json!(["name", {"value": "\"edge\""}]));
    assert_eq!(line["items"][3], serde_json::json!(["to.y", {"value": "40"}]));
}

#[test]
fn members_of_a_union_are_the_same_bytes() {
    let view = view(&gallery("unions.c"), &[]);
    let value = |line: u64| {
        let step = view.at_line(line);
        let object = &step["heap"][view.target(step, "value")];
        let items = object["items"].as_array().unwrap().iter();
        items
            .map(|item| (item[0].as_str().unwrap().to_owned(), item[1]["value"].as_str().unwrap().to_owned()))
            .collect::<Vec<_>>()
    };
    let first = value(17);
    assert!(first.iter().all(|(_, value)| value == "uninitialised"), "{first:?}");
    let number = value(19);
    assert_eq!(number[0], ("kind".into(), "NUMBER".into()));
    assert_eq!(number[1], ("as.number".into(), "1078530011".into()));
    assert_eq!(number[2], ("as.fraction".into(), "3.1415927".into()));
    assert_eq!(value(25)[3], ("as.text".into(), "\"hi\"".into()));
}

#[test]
fn pointers_to_functions_have_their_names_and_callbacks_are_seen() {
    let view = view(&gallery("functions.c"), &[]);
    let step = view.at_line(22);
    assert_eq!(view.name(step, "operation")["value"], "subtract");
    let table = &step["heap"][view.target(step, "table")];
    assert_eq!(table["items"], serde_json::json!([["0", {"value": "add"}], ["1", {"value": "subtract"}]]));
    let called =
        view.steps().iter().filter(|step| step["event"] == "call" && view.function(step) == "ascending");
    assert_eq!(called.count(), 3, "qsort compares three numbers by three calls");
    assert_eq!(view.stdout, "5 -1 1\n");
}

#[test]
fn each_call_of_a_recursion_has_a_frame_and_returns_its_value() {
    let view = view(&gallery("recursion.c"), &[]);
    let returned: Vec<&Value> = view
        .steps()
        .iter()
        .filter(|step| step["event"] == "return" && view.function(step) == "sum")
        .map(|step| &step["value"]["value"])
        .collect();
    assert_eq!(returned, ["0", "4", "7", "9", "10"]);
    let deepest = view.steps().iter().max_by_key(|step| step["stack"].as_array().unwrap().len()).unwrap();
    assert_eq!(deepest["stack"].as_array().unwrap().len(), 6);
    let offsets: Vec<u64> = deepest["stack"].as_array().unwrap()[1..]
        .iter()
        .map(|frame| frame["names"]["items"]["offset"].as_u64().unwrap_or(0))
        .collect();
    assert_eq!(offsets, [0, 4, 8, 12, 16], "the last points behind the array's end");
}

#[test]
fn a_function_in_one_line_returns_what_it_has_computed() {
    let text = "static int sum(const int *a, int n) { int s = 0; for (int i = 0; i < n; i++) s += a[i]; return s; }\n\
        static double half(double x) { return x / 2; }\nint main(void) {\n int a[3] = {1, 2, 3};\n \
        return sum(a, 3) - (int)half(12);\n}\n";
    let view = view_text(text, &[]);
    let returns = view.steps().iter().filter(|step| step["event"] == "return");
    let returned: Vec<_> =
        returns.map(|step| (view.function(step), step["value"]["value"].as_str().unwrap())).collect();
    assert_eq!(returned, [("sum", "6"), ("half", "6"), ("main", "0")]);
}

#[test]
fn a_chain_of_pointers_ends_at_a_variable() {
    let view = view(&gallery("pointers.c"), &[]);
    let step = view.at_line(17);
    let chain = view.target(step, "chain");
    assert_eq!(step["heap"][&chain]["type"], "int *");
    let value = step["heap"][&chain]["items"][0][1]["ref"].as_str().unwrap();
    assert_eq!(step["heap"][value]["value"], "2");
    assert_eq!(step["heap"][value]["standing"], "stack");
    // Then it leads to the global variable.
    let step = view.at_line(19);
    let counter = step["heap"][view.target(step, "chain")]["items"][0][1]["ref"].as_str().unwrap();
    assert_eq!(
        (&step["heap"][counter]["standing"], &step["heap"][counter]["value"]),
        (&"static".into(), &"11".into())
    );
    assert_eq!(view.name(step, "unset")["value"], "uninitialised");
    assert_eq!(view.name(view.at_line(23), "nothing")["value"], "NULL");
}

#[test]
fn use_after_free_is_said_before_the_line_runs_and_valgrind_names_the_same_lines() {
    let view = view(&gallery("use_after_free.c"), &[]);
    let (at, fault) = view.only_fault();
    assert_eq!(fault, "line 17 uses `same`, which points to 16 bytes that line 15 has freed");
    let step = &view.steps()[at];
    assert_eq!(step["heap"][view.target(step, "same")]["standing"], "freed");
    assert_eq!(view.name(step, "account")["value"], "NULL");
    let valgrind = Valgrind::of("use_after_free.c");
    assert_eq!(valgrind.lines_of("Invalid read"), [17, 15, 11]);
}

#[test]
fn a_second_free_stops_at_the_picture_of_that_moment() {
    let view = view(&gallery("double_free.c"), &[]);
    let (at, fault) = view.only_fault();
    assert_eq!(fault, "line 9 frees a block of 16 bytes a second time: line 8 has freed it");
    let step = &view.steps()[at];
    assert_eq!(view.target(step, "numbers"), view.target(step, "same"));
    assert_eq!(step["heap"][view.target(step, "same")]["standing"], "freed");
    assert_eq!(view.trace["ending"], "killed by SIGABRT");
    assert_eq!(Valgrind::of("double_free.c").lines_of("Invalid free"), [9, 8, 5]);
}

#[test]
fn what_malloc_did_not_give_is_said_to_be_freed() {
    let view = view(&gallery("invalid_free.c"), &[]);
    let (_, fault) = view.only_fault();
    assert_eq!(fault, "line 8 frees an address 1 byte inside a block of 12 bytes, not its beginning");
    assert_eq!(Valgrind::of("invalid_free.c").lines_of("Invalid free"), [8, 5]);
    let cases = [
        (
            "int x = 1;\n free(&x);",
            "line 4 frees `x`, which is on the stack: only what malloc gave can be freed",
        ),
        (
            "free(&global);",
            "line 3 frees `global`, which is a global variable: only what malloc gave can be freed",
        ),
        ("free((void *)64);", "line 3 frees 0x40, which malloc never gave"),
    ];
    for (body, said) in cases {
        let text = format!("#include <stdlib.h>\nint global;\nint main(void) {{ {body}\n return 0;\n}}\n");
        let view = view_text(&text, &[]);
        assert_eq!(view.only_fault().1, said);
    }
}

#[test]
fn leaks_are_on_their_shelf_with_the_line_that_allocated_them() {
    let view = view(&gallery("leak.c"), &[]);
    assert_eq!(view.first_unreached_line(), 16);
    let mut lost: Vec<(u64, u64)> = view
        .unreached(view.last())
        .iter()
        .map(|object| (object["bytes"].as_u64().unwrap(), object["allocated_at"]["line"].as_u64().unwrap()))
        .collect();
    lost.sort_unstable();
    assert_eq!(lost, [(8, 17), (10, 14), (12, 9), (20, 18)]);
    let valgrind = Valgrind::of("leak.c");
    assert_eq!(view.leaked(), valgrind.leaked());
    assert_eq!(valgrind.lines_of("definitely lost"), [14, 9, 16, 17]);
}

#[test]
fn a_stack_that_is_overrun_is_shown_as_it_is() {
    let view = view(&gallery("stack_smash.c"), &[]);
    // The neighbour first, ...
    let step = view.at_line(9);
    let copy = &step["heap"][view.target(step, "copy")];
    assert_eq!(copy["value"], "\"eight+fo\" without \\0");
    let neighbour = u32::from_le_bytes(*b"ur:.").to_string();
    assert_eq!(view.name(step, "checked")["value"], neighbour);
    // ... then where the function returns to.
    let faults = view.faults();
    assert!(
        faults[0].1.starts_with("something wrote past the end of `copy`, over where `greet` returns to"),
        "{faults:?}"
    );
    assert!(faults[1].1.starts_with("`greet` returns to 0x"), "{faults:?}");
    assert_eq!(view.trace["ending"], "killed by SIGSEGV");
    assert_eq!(Valgrind::of("stack_smash.c").signal(), Some("SIGSEGV".into()));
}

#[test]
fn a_null_pointer_is_named() {
    let text = "struct s { struct s *next; int n; };\nint main(void) {\n struct s s = {0, 1};\n struct s *p = &s;\n p->next->n = 2;\n return 0;\n}\n";
    let view = view_text(text, &[]);
    assert_eq!(view.only_fault().1, "line 5 follows `p->next`, a NULL pointer (SIGSEGV)");
}

#[test]
fn addresses_and_sizes_are_the_programs_own() {
    let text = r#"#include <stdio.h>
#include <stdlib.h>
static int global;
int main(void) {
    int local = 1;
    short *block = calloc(3, sizeof *block);
    printf("%p %p %p\n", (void *)&global, (void *)&local, (void *)block);
    return 0;
}
"#;
    let view = view_text(text, &[]);
    let step = view.at_line(8);
    let global = step["stack"][0]["names"]["global"]["ref"].as_str().unwrap().to_owned();
    let addresses: Vec<&str> = [global, view.target(step, "local"), view.target(step, "block")]
        .iter()
        .map(|id| step["heap"][id]["address"].as_str().unwrap())
        .collect();
    assert_eq!(addresses.join(" "), view.stdout.trim());
    assert_eq!(step["heap"][view.target(step, "block")]["type"], "short [3]");
}

/// What is checked of any trace: references lead to what is there, and no id comes back.
#[test]
fn traces_of_the_gallery_are_sound() {
    for entry in std::fs::read_dir(gallery("leak.c").parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let view: View = view(&path, &[]);
        let mut dead = std::collections::HashSet::new();
        for step in view.steps() {
            let heap = step["heap"].as_object().unwrap();
            for id in step["died"].as_array().unwrap() {
                assert!(!heap.contains_key(id.as_str().unwrap()), "{}: {id} is dead", path.display());
                dead.insert(id.clone());
            }
            for (id, object) in heap {
                assert!(!dead.contains(&Value::from(id.clone())), "{}: {id} came back", path.display());
                for item in object["items"].as_array().unwrap() {
                    if let Some(target) = item[1].get("ref") {
                        assert!(heap.contains_key(target.as_str().unwrap()), "{}: {target}", path.display());
                    }
                }
            }
            for frame in step["stack"].as_array().unwrap() {
                for (name, value) in frame["names"].as_object().unwrap() {
                    if let Some(target) = value.get("ref") {
                        assert!(heap.contains_key(target.as_str().unwrap()), "{}: {name}", path.display());
                    }
                }
            }
        }
    }
}
