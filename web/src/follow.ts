// Where a selected thing changes, and which steps a search finds.

import type { Id, Life, Step, Trace } from "./data";
import { isObject, sameRef } from "./data";
import type { States } from "./states";
import { describe } from "./words";

/** What is selected: `b12` is an object, `n3 x` the name x in frame 3. */
export type Selection =
  | { readonly what: "object"; readonly id: Id }
  | { readonly what: "name"; readonly frame: number; readonly name: string };

export function selectionOf(key: string): Selection {
  if (key.startsWith("b")) return { what: "object", id: Number(key.slice(1)) };
  const space = key.indexOf(" ");
  return { what: "name", frame: Number(key.slice(1, space)), name: key.slice(space + 1) };
}

/** The life of what is selected, in the order of the steps. */
export function lifeOf(states: States, selection: Selection): readonly Life[] {
  if (selection.what === "name") return lifeOfName(states, selection.frame, selection.name);
  const known = states.trace.lives.get(selection.id);
  return known ?? lifeOfObject(states.trace, selection.id);
}

function lifeOfObject(trace: Trace, id: Id): Life[] {
  const life: Life[] = [];
  trace.steps.forEach((step, at) => {
    if (step.born.some((object) => object.id === id)) life.push({ step: at, what: "born", text: "" });
    if (step.changed.some((change) => change.id === id)) life.push({ step: at, what: "value", text: "" });
    if (step.died.includes(id)) life.push({ step: at, what: "died", text: "" });
    if (step.left.includes(id)) life.push({ step: at, what: "left", text: "" });
  });
  return life;
}

function lifeOfName(states: States, frame: number, name: string): Life[] {
  const life: Life[] = [];
  const find = (step: Step) => step.stack.find((other) => other.id === frame)?.names.find((other) => other.name === name);
  let before: ReturnType<typeof find>;
  let stack: Step["stack"] | null = null;
  states.trace.steps.forEach((step, at) => {
    if (step.stack === stack) return;
    stack = step.stack;
    const now = find(step);
    // A call of another thread hides the frame; the name is not gone.
    const isElsewhere = !now && states.trace.steps[at - 1]?.thread !== step.thread;
    if (isElsewhere) return;
    if (now && !before) life.push({ step: at, what: "born", text: `names ${describe(now.to, states.at(at))}` });
    else if (now && before && !sameRef(now.to, before.to)) {
      life.push({ step: at, what: "value", text: `names ${describe(now.to, states.at(at))}` });
    } else if (!now && before) life.push({ step: at, what: "died", text: "the name is gone" });
    before = now;
  });
  return life;
}

/** The next step after `from` (or the last before it) at which something happens. */
export function jump(life: readonly Life[], from: number, direction: 1 | -1): number | null {
  const steps = life.map((event) => event.step);
  const found = direction > 0 ? steps.find((step) => step > from) : steps.findLast((step) => step < from);
  return found ?? null;
}

/** The steps that a search means: `12` a line, `12:` too, else a name, a function or words of the sentence. */
export function search(trace: Trace, query: string): number[] {
  const wanted = query.trim();
  if (wanted === "") return [];
  const found: number[] = [];
  const line = /^(?:line )?(\d+)$/.exec(wanted);
  const text = wanted.toLowerCase();
  let stack: Step["stack"] = [];
  trace.steps.forEach((step, at) => {
    const isMeant = line
      ? step.line === Number(line[1])
      : changedNames(stack, step.stack).has(wanted) || step.say.toLowerCase().includes(text)
        || (step.event === "call" && step.stack.at(-1)?.name === wanted);
    stack = step.stack;
    if (isMeant) found.push(at);
  });
  return found;
}

function changedNames(before: Step["stack"], now: Step["stack"]): ReadonlySet<string> {
  const changed = new Set<string>();
  if (before === now) return changed;
  const top = now.at(-1);
  const same = before.find((frame) => frame.id === top?.id);
  for (const name of top?.names ?? []) {
    const old = same?.names.find((other) => other.name === name.name);
    if (!old || !sameRef(old.to, name.to)) changed.add(name.name);
  }
  return changed;
}

export interface Question { readonly id: Id; readonly step: number; readonly before: number; readonly answer: number; readonly called: string }

/** A reference count that the next step changes, of an object that names of now lead to, if there is one. */
export function question(states: States, index: number): Question | null {
  const next = states.trace.steps[index + 1];
  if (!next) return null;
  const now = states.at(index);
  const names = new Map<Id, string>();
  for (const frame of states.trace.steps[index]!.stack) {
    for (const { name, to, kind } of frame.names) if (isObject(to) && kind !== "held") names.set(to.id, name);
  }
  const candidates: Question[] = [];
  for (const { id, fields } of next.changed) {
    const before = now.get(id)?.count;
    const answer = fields.count;
    if (typeof before === "number" && typeof answer === "number" && before !== answer) {
      candidates.push({ id, step: index + 1, before, answer, called: names.get(id) ?? "" });
    }
  }
  for (const id of next.died) {
    const before = now.get(id)?.count;
    if (typeof before === "number") candidates.push({ id, step: index + 1, before, answer: 0, called: names.get(id) ?? "" });
  }
  const named = candidates.filter((candidate) => candidate.called !== "");
  const few = named.filter((candidate) => candidate.before <= 20);
  return few[0] ?? named[0] ?? null;
}
