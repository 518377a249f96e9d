// Made traces for the tests, in the format that crates/picture/src/page.rs documents,
// and the page that carries one. A trace is told as whole states; what each step
// changed follows from them.

import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const TEMPLATE = new URL("../dist/view.html", import.meta.url);
const PLACE = '<script type="application/octet-stream" id="trace"></script>';

/** Writes the page for a trace and gives its size in bytes. */
export function writePage(data, path) {
  const template = readFileSync(TEMPLATE, "utf8");
  if (!template.includes(PLACE)) throw new Error("web/dist/view.html has no place for the trace: npm run build");
  const packed = gzipSync(JSON.stringify(data)).toString("base64");
  const page = template.replace(PLACE, () => PLACE.replace("></", `>${packed}</`));
  writeFileSync(path, page);
  return page.length;
}

export class Maker {
  constructor(path, text, extra = {}) {
    this.texts = [];
    this.known = new Map();
    this.before = new Map();
    this.counts = new Map();
    this.stack = [];
    this.data = {
      schema_version: 1, language: "python", made_by: "CPython 3.12.1", ending: "exit 0", truncated: null, notes: [],
      sources: [{ path, text }], texts: this.texts, steps: [], lives: {}, ...extra,
    };
  }

  text(text) {
    if (!this.known.has(text)) this.known.set(text, this.texts.push(text) - 1);
    return this.known.get(text);
  }

  ref(to) {
    return typeof to === "string" ? { v: this.text(to) } : to;
  }

  /** A step from its line, frames and whole heap: `{id: object}`. */
  step(line, say, frames, heap, extra = {}) {
    const at = this.data.steps.length;
    const now = new Map(Object.entries(heap).map(([id, object]) => [Number(id), this.object(Number(id), object)]));
    const step = { e: "line", t: 0, f: 0, l: line, say, ...extra };
    if (step.v !== undefined) step.v = this.ref(step.v);
    const stack = frames.map((frame) => this.frame(frame));
    const written = stack.map((frame) => JSON.stringify(frame));
    let kept = 0;
    while (kept < written.length && written[kept] === this.stack[kept]) kept++;
    if (kept < written.length || kept < this.stack.length) {
      if (kept > 0) step.keep = kept;
      step.stack = stack.slice(kept);
    }
    this.stack = written;
    const left = new Set(extra.left ?? []);
    for (const [id, object] of now) {
      const before = this.before.get(id);
      if (!before) {
        (step.born ??= []).push(object);
        this.life(id, at, "born", "");
      } else {
        const change = differences(before, object);
        if (change) (step.changed ??= []).push(change);
        if (before.r !== object.r) this.life(id, at, "count", `${before.r}→${object.r}`);
        if (before.v !== object.v || change?.splice) this.life(id, at, "value", "");
      }
    }
    for (const id of this.before.keys()) {
      if (now.has(id)) continue;
      if (!left.has(id)) (step.died ??= []).push(id);
      this.life(id, at, left.has(id) ? "left" : "died", "");
    }
    this.before = now;
    this.data.steps.push(step);
    return this;
  }

  life(id, step, what, text) {
    (this.data.lives[id] ??= []).push([step, what, this.text(text)]);
  }

  frame({ id, name, line, kind = "function", names = {} }) {
    return {
      id, n: this.text(name), f: 0, l: line, k: kind,
      names: Object.entries(names).map(([label, holds]) => {
        const { to, kind: of = kind === "module" ? "g" : "l", place } = typeof holds === "object" && !Array.isArray(holds) ? holds : { to: holds };
        const written = [this.text(label), of, this.ref(to)];
        if (place) written.push([place[0], this.text(place[1]), place[2], place[3]]);
        return written;
      }),
    };
  }

  object(id, { items, v, t, ...rest }) {
    const object = { id, s: "reached", k: "value", r: 1, ...rest, t: this.text(t) };
    if (v !== undefined) object.v = this.text(v);
    if (items) object.items = items.map(([label, to]) => [this.text(label), this.ref(to)]);
    return object;
  }
}

function differences(before, now) {
  const change = { id: now.id };
  for (const key of ["a", "t", "k", "s", "b", "r", "i", "v", "more", "at"]) {
    if (JSON.stringify(before[key]) !== JSON.stringify(now[key])) change[key] = now[key] ?? null;
  }
  const [old, items] = [before.items ?? [], now.items ?? []];
  if (JSON.stringify(old) !== JSON.stringify(items)) {
    let start = 0;
    const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
    while (start < old.length && start < items.length && same(old[start], items[start])) start++;
    change.splice = [start, old.length - start, items.slice(start)];
  }
  return Object.keys(change).length > 1 ? change : null;
}

const int = (address, value) => ({ a: address, t: "int", v: String(value), b: 28, r: null, i: true, s: "static" });

/** Names, a slice, a string that grows, a generator, garbage. */
export function story() {
  const text = [
    "def evens(items):", "    for item in items:", "        yield item", "", "fruit = ['apple', 'pear', 'plum', 'fig']",
    "some = fruit[1:3]", "word = fruit[0]", "word += 'sauce'", "numbers = list(range(40))", "lazy = evens(numbers)",
    "print(next(lazy))", "node = {'me': None}", "node['me'] = node", "del node", "print('<b>done</b>')",
  ].join("\n") + "\n";
  const maker = new Maker("examples/fruit.py", text, { notes: ["Objects that only C code holds are not looked at.", "</script><script>document.title='broken out'</script>"] });
  const heap = {};
  const names = {};
  const step = (line, say, extra = {}) => maker.step(line, say, [{ id: 1, name: "<module>", line, kind: "module", names }, ...(extra.frames ?? [])], heap, { ...extra, frames: undefined });
  step(1, "The program begins.", { e: "call" });
  heap[1] = { a: "7f3a1c0c0a10", t: "function", k: "function", b: 160, r: 1, items: [["__name__", "'evens'"]] };
  names.evens = 1;
  step(5, "`evens` now names a new function of 160 bytes at …a10.");
  ["apple", "pear", "plum", "fig"].forEach((word, at) => { heap[2 + at] = { a: (0x7f3a1c0c1b30 + at * 64).toString(16), t: "str", v: `'${word}'`, b: 49 + word.length, r: 2 }; });
  heap[6] = { a: "7f3a1c0c0c40", t: "list", k: "sequence", b: 88, items: [2, 3, 4, 5].map((id, at) => [String(at), id]) };
  names.fruit = 6;
  step(6, "`fruit` now names a new list of 4 items at …c40.");
  heap[7] = { a: "7f3a1c0c0ca0", t: "list", k: "sequence", b: 72, items: [["0", 3], ["1", 4]] };
  heap[3] = { ...heap[3], r: 3 };
  heap[4] = { ...heap[4], r: 3 };
  names.some = 7;
  step(7, "`some` now names a new list at …ca0: a copy of 2 references of the list at …c40.", { temp: [[maker.text("slice"), 1, 56]] });
  names.word = 2;
  heap[2] = { ...heap[2], r: 3 };
  step(8, "`word` names the str at …b30, too: 3 references.");
  heap[8] = { a: "7f3a1c0c2db0", t: "str", v: "'applesauce'", b: 59, r: 1 };
  heap[2] = { ...heap[2], r: 2 };
  names.word = 8;
  step(9, "`word` now names a new 59-byte str at …db0; the one at …b30 lives on in `fruit`.");
  for (let at = 0; at < 40; at++) heap[100 + at] = int((0x9a2c00 + at * 32).toString(16), at);
  heap[9] = { a: "7f3a1c0c0e80", t: "list", k: "sequence", b: 376, items: Array.from({ length: 40 }, (_, at) => [String(at), 100 + at]) };
  names.numbers = 9;
  step(10, "`numbers` now names a new list of 40 items at …e80.");
  heap[10] = { a: "7f3a1c0c3110", t: "generator", k: "iterator", b: 208, v: "paused at line 1", items: [["items", 9]] };
  heap[9] = { ...heap[9], r: 2 };
  names.lazy = 10;
  step(11, "`lazy` now names a generator at …110, which has not begun: it holds 1 name, not 40 items.");
  heap[10] = { ...heap[10], v: "runs", r: 2 };
  step(2, "`evens` goes on.", { e: "call", frames: [{ id: 2, name: "evens", line: 2, kind: "generator", names: { items: 9 } }] });
  heap[10] = { ...heap[10], items: [["items", 9], ["item", 100]] };
  step(3, "`item` now names 0.", { frames: [{ id: 2, name: "evens", line: 3, kind: "generator", names: { items: 9, item: 100, "(held)": { to: 9, kind: "h" } } }] });
  step(3, "`evens` pauses and hands out 0.", { e: "return", y: true, v: 100, frames: [{ id: 2, name: "evens", line: 3, kind: "generator", names: { items: 9, item: 100, "(held)": { to: 9, kind: "h" } } }] });
  heap[10] = { ...heap[10], v: "paused at line 3", r: 1 };
  step(12, "0 was printed.", { out: "0\n" });
  heap[90] = { a: "a3f4c0", t: "NoneType", v: "None", b: 16, r: null, i: true, s: "static" };
  heap[11] = { a: "7f3a1c0c0d00", t: "dict", k: "mapping", b: 232, items: [["'me'", 90]] };
  names.node = 11;
  step(13, "`node` now names a new dict of 232 bytes at …d00.");
  heap[11] = { ...heap[11], r: 2, items: [["'me'", 11]] };
  step(14, "The dict at …d00 holds itself: 2 references.");
  delete names.node;
  heap[11] = { ...heap[11], r: 1, s: "unreached" };
  step(15, "`node` is gone; the dict at …d00 keeps itself alive until the collector comes.");
  step(0, "The program is over.", { e: "end", out: "<b>done</b>\n" });
  return maker.data;
}

/** A string that is freed when the name moves on, and a count that falls. */
export function growing() {
  const text = "a = 'apple'\nb = a\na += 'sauce'\nb = None\n";
  const maker = new Maker("grow.py", text);
  const none = { a: "a3f4c0", t: "NoneType", v: "None", b: 16, r: null, i: true, s: "static" };
  const apple = { a: "7f3a1c0c1b30", t: "str", v: "'apple'", b: 54 };
  const sauce = { a: "7f3a1c0c2c30", t: "str", v: "'applesauce'", b: 59 };
  const frame = (line, names) => [{ id: 1, name: "<module>", line, kind: "module", names }];
  maker.step(1, "The program begins.", frame(1, {}), {}, { e: "call" });
  maker.step(2, "`a` now names a new 54-byte str at …1b30.", frame(2, { a: 1 }), { 1: { ...apple, r: 1 } });
  maker.step(3, "`b` names the str at …1b30, too: 2 references.", frame(3, { a: 1, b: 1 }), { 1: { ...apple, r: 2 } });
  maker.step(4, "`a` now names a new 59-byte str at …2c30.", frame(4, { a: 2, b: 1 }), { 1: { ...apple, r: 1 }, 2: { ...sauce, r: 1 } });
  maker.step(0, "`b` now names None; the str at …1b30 was freed.", frame(4, { a: 2, b: 3 }), { 2: { ...sauce, r: 1 }, 3: none }, { e: "end" });
  return maker.data;
}

/** C: a struct on the stack, a list of nodes, a leak, a pointer to freed memory. */
export function dangling() {
  const text = [
    "#include <stdlib.h>", "struct node { int value; struct node *next; };", "int main(void) {", "    struct node head = {1, NULL};",
    "    struct node *second;", "    second = malloc(sizeof *second);", "    second->value = 2;", "    head.next = second;",
    "    int *lost = malloc(40);", "    lost = NULL;", "    free(second);", "    return head.next->value;", "}",
  ].join("\n") + "\n";
  const maker = new Maker("list.c", text, { language: "c", made_by: "cc 12.2.0, gdb 13.1", ending: "killed by SIGSEGV", truncated: "--max-steps 9 was reached; the program was stopped there." });
  const head = (value, next) => ({ a: "7ffe12345670", t: "struct node", k: "fields", s: "stack", b: 16, r: null, items: [["value", value], ["next", next]] });
  const place = (of, address, bytes, unset = 0) => [address, of, bytes, unset];
  const frame = (line, second, lost, headPlace = place("struct node", "7ffe12345670", 16)) => [{
    id: 1, name: "main", line, names: {
      head: { to: 1, place: headPlace },
      second: { to: second, place: place("struct node *", "7ffe12345668", 8, second === "uninitialised" ? 1 : 0) },
      lost: { to: lost, place: place("int *", "7ffe12345660", 8, lost === "uninitialised" ? 1 : 0) },
    },
  }];
  const node = (value, next, extra = {}) => ({ a: "55555555a2a0", t: "struct node", k: "fields", b: 16, r: null, at: [0, 6], items: [["value", value], ["next", next]], ...extra });
  const ints = (extra = {}) => ({ a: "55555555a2c0", t: "int[10]", k: "sequence", b: 40, r: null, at: [0, 9], items: Array.from({ length: 10 }, (_, at) => [String(at), "uninitialised"]), ...extra });
  maker.step(4, "`main` begins.", frame(4, "uninitialised", "uninitialised"), { 1: head("uninitialised", "uninitialised") }, { e: "call" });
  maker.step(6, "`head` got its values.", frame(6, "uninitialised", "uninitialised"), { 1: head("1", "NULL") });
  maker.step(7, "malloc gave 16 bytes at …a2a0 to `second`.", frame(7, 2, "uninitialised"), { 1: head("1", "NULL"), 2: node("uninitialised", "uninitialised") });
  maker.step(9, "`head.next` points to the node at …a2a0, too.", frame(9, 2, "uninitialised"), { 1: head("1", 2), 2: node("2", 1) });
  maker.step(10, "malloc gave 40 bytes at …a2c0 to `lost`.", frame(10, 2, [3, 8]), { 1: head("1", 2), 2: node("2", 1), 3: ints() });
  maker.step(11, "No pointer leads to the 40 bytes at …a2c0 any more: leaked.", frame(11, 2, "NULL"), { 1: head("1", 2), 2: node("2", 1), 3: ints({ s: "unreached" }) });
  maker.step(12, "The node at …a2a0 was freed; `head.next` and `second` still point to it.", frame(12, 2, "NULL"), { 1: head("1", 2), 2: node("2", 1, { s: "freed" }), 3: ints({ s: "unreached" }) });
  maker.step(12, "`head.next` is read, but its node is freed.", frame(12, 2, "NULL"), { 1: head("1", 2), 2: node("2", 1, { s: "freed" }), 3: ints({ s: "unreached" }) }, { e: "exception", v: "SIGSEGV" });
  return maker.data;
}

/** Many steps with many objects: a list of instances that grows, changes and shrinks. */
export function large(steps, objects) {
  const lines = Array.from({ length: 60 }, (_, at) => `line_${at + 1} = rows[${at}]  # ${"x".repeat(at % 30)}`);
  const texts = ["rows", "<module>", "Row", "list", "str", "int", "name", "i", "a change", ""];
  const text = (wanted) => {
    const at = texts.indexOf(wanted);
    return at >= 0 ? at : texts.push(wanted) - 1;
  };
  const address = (id) => (0x7f3a10000000 + id * 80).toString(16);
  const row = (id) => ({ id, a: address(id), t: 2, k: "fields", s: "reached", b: 56, r: 1, items: [[6, id + objects]] });
  const name = (id) => ({ id: id + objects, a: address(id * 3 + 1), t: 4, k: "value", s: "reached", b: 54, r: 1, v: text(`'row ${id % 500}'`) });
  const half = Math.floor(objects / 2);
  const data = { schema_version: 1, language: "python", made_by: "CPython 3.12.1", ending: "exit 0", truncated: "--max-steps was reached.", notes: [], sources: [{ path: "rows.py", text: lines.join("\n") }], texts, steps: [], lives: {} };
  const ids = Array.from({ length: half }, (_, at) => at + 2);
  const list = { id: 1, a: "7f3a0ff00000", t: 3, k: "sequence", s: "reached", b: 56 + half * 8, r: 1, items: ids.map((id, at) => [text(String(at)), id]) };
  let count = half;
  for (let at = 0; at < steps; at++) {
    const line = (at % 60) + 1;
    const step = { e: "line", t: 0, f: 0, l: line, say: `Step ${at + 1}: the list at …0000 changed.` };
    step.stack = [{ id: 1, n: 1, f: 0, l: line, k: "module", names: [[0, "g", 1], [7, "g", ids[at % half]]] }];
    if (at === 0) step.born = [list, ...ids.flatMap((id) => [row(id), name(id)])];
    else {
      const changed = ids[(at * 7) % half];
      step.changed = [{ id: changed, r: 1 + (at % 5) }, { id: 1, b: 56 + count * 8, splice: [at % half, 1, [[text(String(at % half)), ids[(at * 13) % half]]]] }];
      (data.lives[changed] ??= []).push([at, "count", text(`${at % 5}→${1 + (at % 5)}`)]);
      const fresh = objects * 3 + at;
      step.born = [{ id: fresh, a: address(objects * 5 + at), t: 4, k: "value", s: "reached", b: 60, r: 1, v: text(`'made in step ${at}'`) }];
      if (at > 1) step.died = [objects * 3 + at - 1];
    }
    data.steps.push(step);
  }
  return data;
}
