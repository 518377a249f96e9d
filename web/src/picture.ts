// What is drawn at a step: frames with their slots, boxes in address order, what is
// folded. Plain values from plain values; nothing here touches the page.

import type { Frame, Id, Name, Obj, Ref, Step } from "./data";
import { isObject, sameRef } from "./data";
import type { State, States } from "./states";
import { describe } from "./words";

export type Mark = "same" | "new" | "changed" | "freed";

/** A place that holds a reference or a value: a name's, or an item's. */
export interface Slot {
  readonly key: string;
  readonly label: string;
  readonly to: Ref;
  /** The box that an arrow leads to, if one does. */
  readonly target: Id | null;
  /** What is written in the slot instead of an arrow. */
  readonly text: string | null;
  /** The object that is written into the slot. */
  readonly inlined: Obj | null;
  /** Its text is of an object that has no box now, and can be given one. */
  readonly folded: Id | null;
  readonly changed: boolean;
  /** What it held in the step before, if something else. */
  readonly was: string | null;
  /** The box that it led to in the step before, if it is drawn still. */
  readonly oldTarget: Id | null;
  readonly copied: boolean;
  /** It leads to freed memory. */
  readonly dangles: boolean;
}

export interface NameSlot extends Slot { readonly name: Name; readonly embedded: Box | null }

export interface FrameView {
  readonly frame: Frame;
  readonly isTop: boolean;
  readonly isNew: boolean;
  readonly names: readonly NameSlot[];
  readonly hidden: number;
}

export interface Box {
  readonly object: Obj;
  readonly before: Obj | null;
  readonly mark: Mark;
  readonly slots: readonly Slot[];
  /** Items between the first and the last that are drawn. */
  readonly folded: number;
  /** How many of `slots` stand before the fold. */
  readonly foldAt: number;
  /** Slots are cells in a row: everything in them is written out. */
  readonly cells: boolean;
  readonly copy: string | null;
}

export interface Picture {
  readonly frames: readonly FrameView[];
  /** A frame that has returned since the step before. */
  readonly gone: Frame | null;
  readonly value: NameSlot | null;
  readonly boxes: readonly Box[];
  readonly shelf: readonly Box[];
  /** Objects that have no box. */
  readonly hidden: number;
  /** Objects on the heap. */
  readonly live: number;
  readonly liveBytes: number;
}

export interface Look {
  /** Numbers, bools and None in the slot, not as boxes. */
  readonly inline: boolean;
  /** How many boxes to draw of objects that nothing drawn leads to. */
  readonly rest: number;
  /** How many items of an object (or names of a frame) to draw, where not the usual number. */
  readonly unfolded: ReadonlyMap<string, number>;
  readonly selected: Id | null;
}

/** Boxes at the most, but for those that the reader asks for. */
const MOST_BOXES = 160;
const FEW = 30;
const USUAL_ITEMS = 10;
const USUAL_NAMES = 14;
const INLINE_TYPES = new Set(["int", "float", "bool", "NoneType", "complex", "ellipsis", "NotImplementedType"]);

const isInline = (object: Obj, look: Look): boolean =>
  look.inline && object.kind === "value" && object.value !== null && INLINE_TYPES.has(object.type);

export function picture(states: States, index: number, look: Look): Picture {
  return new Drawing(states, index, look).picture();
}

class Drawing {
  private readonly step: Step;
  private readonly last: Step | null;
  private readonly now: State;
  private readonly before: State;
  private readonly born: ReadonlySet<Id>;
  private readonly changed: ReadonlySet<Id>;
  private readonly died: ReadonlySet<Id>;
  private readonly copies: Copies;
  private drawn = new Set<Id>();
  private embedded = new Set<Id>();

  constructor(states: States, index: number, private readonly look: Look) {
    this.step = states.trace.steps[index]!;
    this.last = states.trace.steps[index - 1] ?? null;
    ({ now: this.now, before: this.before } = states.pair(index));
    this.born = new Set(this.step.born.map((object) => object.id));
    this.changed = new Set(this.last ? this.step.changed.map((change) => change.id) : []);
    this.died = new Set(this.step.died);
    this.copies = index > 0 ? copiesIn(this.step.born, this.now) : NO_COPIES;
  }

  picture(): Picture {
    for (const frame of this.step.stack) {
      for (const { to, place } of frame.names) {
        const object = isObject(to) ? this.now.get(to.id) : undefined;
        if (object?.standing === "stack" && place && place.address === object.address) this.embedded.add(object.id);
      }
    }
    const chosen = this.choose();
    this.drawn = new Set([...chosen.map((object) => object.id), ...this.embedded]);
    const frames = this.step.stack.map((frame, depth) => this.frame(frame, depth));
    const boxes: Box[] = [];
    const shelf: Box[] = [];
    for (const object of chosen) (object.standing === "unreached" ? shelf : boxes).push(this.box(object));
    let live = 0;
    let liveBytes = 0;
    let drawable = 0;
    for (const object of this.now.values()) {
      if (object.standing === "reached" || object.standing === "unreached") {
        live++;
        liveBytes += object.bytes;
      }
      if (!isInline(object, this.look)) drawable++;
    }
    const shown = [...this.drawn].filter((id) => this.now.has(id)).length;
    const gone = this.last?.stack.at(-1);
    return {
      frames,
      gone: gone && !this.step.stack.some((frame) => frame.id === gone.id) ? gone : null,
      value: this.step.value ? this.value(this.step.value) : null,
      boxes,
      shelf,
      hidden: drawable - shown,
      live,
      liveBytes,
    };
  }

  /** The objects that get a box, in address order: what changed, then what is near the names. */
  private choose(): Obj[] {
    const chosen = new Map<Id, Obj>();
    let most = MOST_BOXES;
    const take = (id: Id, state: State): boolean => {
      if (chosen.has(id) || this.embedded.has(id) || chosen.size >= most) return false;
      const object = state.get(id);
      if (!object || isInline(object, this.look)) return false;
      chosen.set(id, object);
      return true;
    };
    if (this.look.selected !== null) take(this.look.selected, this.now);
    // What changed comes first if it is little; of much, what is near the names is shown.
    const first = (ids: readonly Id[], state: State): void => {
      if (ids.length <= FEW) for (const id of ids) take(id, state);
    };
    first([...this.changed], this.now);
    for (const id of this.step.died.slice(0, FEW)) take(id, this.before);
    if (this.last) first([...this.born], this.now);
    const queue: Id[] = [];
    const follow = (to: Ref): void => {
      if (isObject(to) && this.now.has(to.id)) queue.push(to.id);
    };
    if (this.step.value) follow(this.step.value);
    for (const frame of this.step.stack.toReversed()) for (const { to } of frame.names) follow(to);
    for (const object of this.now.values()) if (object.standing === "unreached") queue.push(object.id);
    const seen = new Set<Id>();
    for (let next = 0; next < queue.length && chosen.size < most; next++) {
      const id = queue[next]!;
      if (seen.has(id)) continue;
      seen.add(id);
      take(id, this.now);
      const object = this.now.get(id)!;
      for (const item of this.shownItems(object)) follow(item.to);
    }
    most = chosen.size + this.look.rest;
    if (this.look.rest > 0) for (const id of this.now.keys()) take(id, this.now);
    return [...chosen.values()].sort((one, other) => one.address - other.address || one.id - other.id);
  }

  private frame(frame: Frame, depth: number): FrameView {
    const before = this.last?.stack.find((other) => other.id === frame.id);
    const isTop = depth === this.step.stack.length - 1;
    const most = this.look.unfolded.get(`frame ${frame.id}`) ?? USUAL_NAMES;
    const names = frame.names.slice(0, most);
    return {
      frame,
      isTop,
      isNew: !before && this.last !== null,
      names: names.map((name, at) => this.name(name, `f${frame.id}.${at}`, before)),
      hidden: frame.names.length - names.length,
    };
  }

  private name(name: Name, key: string, frame: Frame | undefined): NameSlot {
    const before = frame?.names.find((other) => other.name === name.name && other.kind === name.kind);
    const isNew = this.last !== null && !before;
    const object = isObject(name.to) ? this.now.get(name.to.id) : undefined;
    const isEmbedded = object !== undefined && this.embedded.has(object.id) && name.place?.address === object.address;
    return {
      ...this.slot(key, name.name, name.to, before?.to ?? null, isNew),
      name,
      embedded: isEmbedded ? this.box(object) : null,
    };
  }

  private value(to: Ref): NameSlot {
    const label = this.step.event === "exception" ? "raises" : this.step.pauses ? "yields" : "returns";
    const name: Name = { name: label, kind: "held", to, place: null };
    return { ...this.slot("value", label, to, null, true), name, embedded: null };
  }

  private slot(key: string, label: string, to: Ref, was: Ref | null, isNew: boolean, copied = false): Slot {
    const moved = was !== null && !sameRef(was, to);
    const common = {
      key, label, to, copied,
      changed: isNew || moved,
      was: moved ? describe(was, this.before) : null,
      oldTarget: moved && isObject(was) && this.drawn.has(was.id) ? was.id : null,
    };
    const none = { target: null, text: null, inlined: null, folded: null, dangles: false };
    if (!isObject(to)) return { ...common, ...none, text: to.text };
    const object = this.now.get(to.id) ?? this.before.get(to.id);
    if (this.drawn.has(to.id)) {
      return { ...common, ...none, target: to.id, dangles: object?.standing === "freed" };
    }
    if (!object) return { ...common, ...none, text: "not looked at" };
    if (isInline(object, this.look)) return { ...common, ...none, text: object.value, inlined: object };
    return { ...common, ...none, text: describe(to, this.now), folded: to.id };
  }

  private shownItems(object: Obj): Obj["items"] {
    const { items } = object;
    const most = this.look.unfolded.get(`object ${object.id}`) ?? USUAL_ITEMS;
    // A fold of one or two would take the room that it saves.
    if (items.length <= most + 2) return items;
    const last = lastOf(most);
    return [...items.slice(0, most - last), ...items.slice(items.length - last)];
  }

  private box(object: Obj): Box {
    const before = this.before.get(object.id) ?? null;
    const isDead = this.died.has(object.id) && !this.now.has(object.id);
    const isFreedNow = object.standing === "freed" && before !== null && before.standing !== "freed";
    const mark: Mark = isDead || isFreedNow ? "freed"
      : this.born.has(object.id) && this.last ? "new"
      : this.changed.has(object.id) ? "changed" : "same";
    const items = this.shownItems(object);
    const folded = object.items.length - items.length + object.more;
    const foldAt = folded === 0 || object.items.length === items.length ? items.length
      : items.length - lastOf(items.length);
    const olds = before && mark === "changed" ? before.items : null;
    const copied = this.copies.slots.get(object.id);
    const slots = items.map((item, at) => {
      const index = at < foldAt ? at : object.items.length - items.length + at;
      const old = olds ? oldItem(olds, item.label, index) : null;
      const isNew = olds !== null && old === null;
      const isCopied = copied !== undefined && index >= copied.from && index < copied.to;
      return this.slot(`o${object.id}.${index}`, item.label, item.to, old, isNew, isCopied);
    });
    const isRow = object.kind === "sequence" || object.kind === "set";
    return {
      object, before, mark, slots, folded, foldAt,
      cells: isRow && slots.every((slot) => slot.target === null && slot.text !== null && (slot.text.length <= 12 || slot.text === "uninitialised")),
      copy: this.copies.words.get(object.id) ?? null,
    };
  }
}

const lastOf = (shown: number): number => (shown <= USUAL_ITEMS ? 2 : 5);

/** What an item held before: found by its label, and without one by its place. */
function oldItem(olds: Obj["items"], label: string, index: number): Ref | null {
  const same = olds[index];
  if (same && same.label === label) return same.to;
  if (label === "") return same?.to ?? null;
  return olds.find((item) => item.label === label)?.to ?? null;
}

interface Copies {
  readonly slots: ReadonlyMap<Id, { readonly from: number; readonly to: number }>;
  readonly words: ReadonlyMap<Id, string>;
}
const NO_COPIES: Copies = { slots: new Map(), words: new Map() };

/** Which of the new sequences hold what a run of another sequence holds: slices and copies. */
function copiesIn(born: readonly Obj[], state: State): Copies {
  const made = born.filter((object) =>
    object.kind === "sequence" && object.items.length >= 2 && object.items.every(({ to }) => isObject(to)));
  if (made.length === 0 || made.length > 20) return NO_COPIES;
  const slots = new Map<Id, { from: number; to: number }>();
  const words = new Map<Id, string>();
  const ids = (object: Obj): (Id | string)[] => object.items.map(({ to }) => (isObject(to) ? to.id : to.text));
  for (const copy of made) {
    const wanted = ids(copy);
    for (const source of state.values()) {
      if (source.id === copy.id || source.kind !== "sequence" || source.items.length < wanted.length) continue;
      const held = ids(source);
      const from = held.findIndex((_, at) => wanted.every((id, next) => held[at + next] === id));
      if (from < 0) continue;
      slots.set(copy.id, { from: 0, to: wanted.length });
      slots.set(source.id, { from, to: from + wanted.length });
      words.set(copy.id, `${wanted.length} references copied`);
      break;
    }
  }
  return { slots, words };
}
