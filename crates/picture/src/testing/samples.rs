//! The made traces.

use super::Builder;
use crate::model::{Event, FrameKind, ObjectId, ObjectKind, Ref, Trace};

/// All small traces, with a name each.
pub fn traces() -> Vec<(&'static str, Trace)> {
    vec![
        ("aliasing", aliasing()),
        ("slice", slice()),
        ("string", string()),
        ("generator", generator()),
        ("recursion", recursion()),
        ("cycle", cycle()),
        ("exception", exception()),
        ("c", c()),
        ("large", large(200, 100)),
    ]
}

fn aliasing() -> Trace {
    let mut b = Builder::python("aliasing.py", "a = [1, 2]\nb = a\nb.append(3)\ndel a\nb = None\n");
    b.line(1);
    let (one, two) = (b.int(1), b.int(2));
    let list = b.list(&[one, two]);
    b.name("a", list);
    b.line(2);
    b.name("b", list);
    b.line(3);
    let three = b.int(3);
    b.set_items(list, &[one, two, three]);
    b.edit(list).bytes = 56 + 8 * 6;
    b.line(4);
    b.unname("a");
    b.line(5);
    let none = b.none();
    b.name("b", none);
    b.end();
    b.finish("exit 0")
}

fn slice() -> Trace {
    let text = "items = [1000, 2000, 3000, 4000]\ntail = items[2:]\nprint(sum(items[1:]))\ndel items\n";
    let mut b = Builder::python("slice.py", text);
    b.line(1);
    let numbers: Vec<_> = [1000, 2000, 3000, 4000].map(|number| b.int(number)).to_vec();
    let items = b.list(&numbers);
    b.name("items", items);
    b.line(2);
    let tail = b.list(&numbers[2..]);
    b.name("tail", tail);
    b.line(3);
    b.temporary("list", 1, 80);
    b.print("9000\n");
    b.line(4);
    b.unname("items");
    b.end();
    b.finish("exit 0")
}

fn string() -> Trace {
    let text = "a = \"apple\"\na += \"sauce\"\na += \"!\"\nb = a\na += \"?\"\n";
    let mut b = Builder::python("string.py", text);
    b.line(1);
    let apple = b.string("apple");
    b.hold(apple, 1);
    b.name("a", apple);
    b.line(2);
    let sauce = b.string("applesauce");
    b.name("a", sauce);
    b.line(3);
    b.edit(sauce).value = Some("'applesauce!'".to_owned());
    b.edit(sauce).bytes += 1;
    b.line(4);
    b.name("b", sauce);
    b.line(5);
    let asked = b.string("applesauce!?");
    b.name("a", asked);
    b.end();
    b.finish("exit 0")
}

fn generator() -> Trace {
    let text = "def squares(items):\n    for item in items:\n        yield item * item\n\nfor value in squares([30, 40]):\n    print(value)\n";
    let mut b = Builder::python("generator.py", text);
    b.line(1);
    let function = b.value("function", "<function squares>", 136);
    b.edit(function).kind = ObjectKind::Function;
    b.name("squares", function);
    b.line(5);
    let numbers = [b.int(30), b.int(40)];
    let list = b.list(&numbers);
    let paused = b.object("generator", ObjectKind::Iterator, 216);
    b.hold_as("(held 1)", paused);
    b.push("squares", FrameKind::Generator);
    b.name("items", list);
    b.call(1);
    for (index, (value, number)) in [(30, 900), (40, 1600)].into_iter().enumerate() {
        b.line(2);
        let item = b.int(value);
        b.name("item", item);
        if index == 0 {
            let iterator = b.object("list_iterator", ObjectKind::Iterator, 48);
            b.set(iterator, "list", Ref::to(list));
            b.hold_as("(held 1)", iterator);
        }
        b.line(3);
        let square = b.int(number);
        b.yields(3, square);
        let frame = b.pause(paused);
        b.name("value", square);
        b.line(6);
        b.print(&format!("{number}\n"));
        b.line(5);
        b.resume(paused, frame);
        b.call(3);
    }
    b.line(2);
    let none = b.none();
    b.returns(2, Some(Ref::to(none)));
    b.pop();
    let module = b.stack.last_mut().expect("the module");
    module.names.retain(|name| name.name != "(held 1)");
    b.end();
    b.finish("exit 0")
}

fn recursion() -> Trace {
    let text = "def total(items):\n    if not items:\n        return 0\n    return items[0] + total(items[1:])\n\nprint(total([500, 600]))\n";
    let mut b = Builder::python("recursion.py", text);
    b.line(1);
    let function = b.value("function", "<function total>", 136);
    b.edit(function).kind = ObjectKind::Function;
    b.name("total", function);
    b.line(6);
    let numbers = [b.int(500), b.int(600)];
    for from in 0..=2 {
        let list = b.list(&numbers[from..]);
        b.push("total", FrameKind::Function);
        b.name("items", list);
        b.call(1);
        b.line(2);
        b.line(if from == 2 { 3 } else { 4 });
    }
    for (line, sum) in [(3, 0), (4, 600), (4, 1100)] {
        let value = b.int(sum);
        b.returns(line, Some(Ref::to(value)));
        b.pop();
    }
    b.print("1100\n");
    b.end();
    b.finish("exit 0")
}

fn cycle() -> Trace {
    let text = "class Node:\n    pass\n\na = Node()\na.self = a\na = None\n";
    let mut b = Builder::python("cycle.py", text);
    b.line(1);
    let class = b.value("type", "<class 'Node'>", 1064);
    b.edit(class).kind = ObjectKind::Class;
    b.name("Node", class);
    b.line(4);
    let node = b.object("Node", ObjectKind::Fields, 56);
    b.name("a", node);
    b.line(5);
    b.set(node, "self", Ref::to(node));
    b.line(6);
    let none = b.none();
    b.name("a", none);
    b.end();
    b.finish("exit 0")
}

fn exception() -> Trace {
    let text = "def half(number):\n    return number // 0\n\nhalf(1000)\n";
    let mut b = Builder::python("exception.py", text);
    b.line(1);
    let function = b.value("function", "<function half>", 136);
    b.edit(function).kind = ObjectKind::Function;
    b.name("half", function);
    b.line(4);
    let number = b.int(1000);
    b.push("half", FrameKind::Function);
    b.name("number", number);
    b.call(1);
    b.line(2);
    let error = b.value("ZeroDivisionError", "ZeroDivisionError('integer division or modulo by zero')", 72);
    b.hold(error, 1);
    b.step(Event::Exception, 2, Some(Ref::to(error)));
    b.returns(2, None);
    b.pop();
    b.step(Event::Exception, 4, Some(Ref::to(error)));
    b.end().stderr.push_str("ZeroDivisionError: integer division or modulo by zero\n");
    b.finish("exit 1")
}

fn c() -> Trace {
    let text = "#include <stdio.h>\n#include <stdlib.h>\n\nstruct node { int value; struct node *next; };\n\nint main(void) {\n    struct node *first = malloc(sizeof *first);\n    struct node *second = malloc(sizeof *second);\n    first->value = 1;\n    first->next = second;\n    free(first);\n    printf(\"%d\\n\", first->value);\n    second = NULL;\n    first = NULL;\n    return 0;\n}\n";
    let pointer = "struct node *";
    let mut b = Builder::c("list.c", text);
    b.variable("first", pointer, 8, None);
    b.variable("second", pointer, 8, None);
    b.line(7);
    let first = node(&mut b, 7);
    b.variable("first", pointer, 8, Some(Ref::to(first)));
    b.line(8);
    let second = node(&mut b, 8);
    b.variable("second", pointer, 8, Some(Ref::to(second)));
    b.line(9);
    b.set(first, "value", Ref::Value("1".to_owned()));
    b.line(10);
    b.set(first, "next", Ref::to(second));
    b.line(11);
    b.free(first);
    b.line(12);
    b.print("1431654809\n");
    b.line(13);
    b.variable("second", pointer, 8, Some(Ref::Value("NULL".to_owned())));
    b.line(14);
    b.variable("first", pointer, 8, Some(Ref::Value("NULL".to_owned())));
    b.line(15);
    b.returns(16, Some(Ref::Value("0".to_owned())));
    b.end();
    b.finish("exit 0")
}

fn node(b: &mut Builder, line: u32) -> ObjectId {
    let id = b.malloc("struct node", 16, line);
    b.set(id, "value", Ref::Value("uninitialised".to_owned()));
    b.set(id, "next", Ref::Value("uninitialised".to_owned()));
    id
}

/// A program of so many steps over a list of so many strings, of which each step changes some.
pub fn large(steps: u32, objects: usize) -> Trace {
    let text = "rows = []\nfor number in range(COUNT):\n    rows.append(str(number))\nfor index in range(STEPS):\n    rows[index] = rows[index - 1] + \"!\"\n";
    let mut b = Builder::python("large.py", text);
    b.line(1);
    let mut rows: Vec<_> = (0..objects).map(|number| b.string(&number.to_string())).collect();
    let list = b.list(&rows);
    b.edit(list).hidden_items = 12_431;
    b.name("rows", list);
    for step in 1..steps.saturating_sub(1) {
        let number = b.int(i64::from(step));
        b.name("index", number);
        if step % 2 == 0 && !rows.is_empty() {
            let at = step as usize * 7 % rows.len();
            rows[at] = b.string(&format!("{at}{}", "!".repeat(step as usize % 50)));
            b.set_items(list, &rows);
        }
        b.line(4 + step % 2);
    }
    b.end();
    b.finish("exit 0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Language, Object, Standing};
    use crate::state::States;

    fn named(name: &str) -> Trace {
        traces().into_iter().find(|(other, _)| *other == name).expect("a trace of this name").1
    }

    #[test]
    fn every_reference_of_every_step_leads_to_an_object_of_that_step() {
        for (name, trace) in traces() {
            let states = States::new(&trace);
            for (index, step) in trace.steps.iter().enumerate() {
                let objects = states.at(index).objects;
                let names = step.stack.iter().flat_map(|frame| &frame.names).map(|name| &name.to);
                let items = objects.values().flat_map(|object| &object.items).map(|(_, to)| to);
                for to in names.chain(items).chain(&step.value) {
                    if let Ref::Object { id, .. } = to {
                        assert!(objects.contains_key(id), "{name}, step {index}: {to:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_second_name_counts_and_the_last_one_frees() {
        let trace = named("aliasing");
        let counts: Vec<_> = trace.steps.iter().map(|step| list_of(&step.delta.changed)).collect();
        assert_eq!(counts, [None, None, Some(2), Some(2), Some(1), None]);
        assert_eq!(trace.steps[5].delta.died.len(), 1);
    }

    fn list_of(objects: &[Object]) -> Option<u64> {
        objects.iter().find(|object| object.of_type == "list").and_then(|object| object.references)
    }

    #[test]
    fn a_freed_block_stays_while_a_pointer_dangles_and_a_lost_one_is_a_leak() {
        let trace = named("c");
        assert_eq!(trace.language, Language::C);
        let states = States::new(&trace);
        let standings = |step: usize| -> Vec<_> {
            states.at(step).objects.values().map(|object| object.standing).collect()
        };
        assert_eq!(standings(4), [Standing::Reached, Standing::Reached]);
        assert_eq!(standings(5), [Standing::Freed, Standing::Reached]);
        assert_eq!(standings(7), [Standing::Freed, Standing::Unreached]);
        assert_eq!(standings(8), [Standing::Unreached]);
    }
}
