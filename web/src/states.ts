// The objects at any step. Keyframes are made as far as somebody went, so that a
// page opens before the last step was put together.

import type { Id, Obj, Step, Trace } from "./data";

export type State = ReadonlyMap<Id, Obj>;

const KEYFRAME = 64;
const EMPTY: State = new Map();

export interface Pair { readonly before: State; readonly now: State }

export class States {
  private readonly keyframes: State[] = [];
  private readonly recent = new Map<number, Pair>();
  private readonly outEnds: number[] = [];
  private readonly out: string;

  constructor(readonly trace: Trace) {
    const parts: string[] = [];
    let length = 0;
    for (const step of trace.steps) {
      parts.push(step.out, step.err);
      length += step.out.length + step.err.length;
      this.outEnds.push(length);
    }
    this.out = parts.join("");
  }

  /** The objects at a step; none before the first. */
  at(step: number): State {
    return this.pair(step).now;
  }

  /** A step's objects and those of the step before: what is the same in both did not change. */
  pair(step: number): Pair {
    if (step < 0 || step >= this.trace.steps.length) return { before: EMPTY, now: EMPTY };
    const known = this.recent.get(step);
    if (known) return known;
    const before = step === 0 ? EMPTY : this.recent.get(step - 1)?.now ?? this.build(step - 1);
    const now = new Map(before);
    advance(now, this.trace.steps[step]!);
    const pair = { before, now };
    this.recent.set(step, pair);
    if (this.recent.size > 8) this.recent.delete(this.recent.keys().next().value!);
    return pair;
  }

  /** What was written up to a step: the last of it, and whether more came before. */
  outputAt(step: number, most: number): { text: string; cut: boolean } {
    const end = this.outEnds[step] ?? 0;
    const start = Math.max(0, end - most);
    return { text: this.out.slice(start, end), cut: start > 0 };
  }

  private build(step: number): State {
    const keyframe = Math.floor(step / KEYFRAME);
    const state = new Map(this.keyframe(keyframe));
    for (let next = keyframe * KEYFRAME + 1; next <= step; next++) advance(state, this.trace.steps[next]!);
    return state;
  }

  private keyframe(index: number): State {
    while (this.keyframes.length <= index) {
      const made = this.keyframes.length;
      const state = new Map(this.keyframes[made - 1] ?? EMPTY);
      const first = made === 0 ? 0 : (made - 1) * KEYFRAME + 1;
      for (let next = first; next <= made * KEYFRAME; next++) advance(state, this.trace.steps[next]!);
      this.keyframes.push(state);
    }
    return this.keyframes[index]!;
  }
}

function advance(state: Map<Id, Obj>, step: Step): void {
  for (const id of step.died) state.delete(id);
  for (const id of step.left) state.delete(id);
  for (const object of step.born) state.set(object.id, object);
  for (const { id, fields, splice } of step.changed) {
    const before = state.get(id);
    if (!before) continue;
    const items = splice
      ? before.items.slice(0, splice.at).concat(splice.items, before.items.slice(splice.at + splice.gone))
      : before.items;
    state.set(id, { ...before, ...fields, items });
  }
}
