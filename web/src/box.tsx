// An object of the heap: type, address, bytes, references, and its slots.

import type { Box, Slot } from "./picture";
import type { Obj } from "./data";
import { bytes, countText, full, number, short } from "./words";

export interface Actions {
  readonly select: (key: string) => void;
  readonly hover: (key: string | null) => void;
  readonly unfold: (key: string, more: number) => void;
}

const WORDS = { same: "", new: "new", changed: "", freed: "freed" } as const;

/** What the box says in its corner, beside shape and colour. What changed has a bar. */
function word(box: Box, language: "python" | "c"): string {
  const { object } = box;
  if (object.standing === "freed" && box.mark === "same") return "freed";
  if (language === "c" && box.mark !== "new" && object.standing === "static") return "static";
  if (language === "c" && box.mark !== "new" && object.standing === "stack") return "in a frame";
  return WORDS[box.mark];
}

export function ObjectBox({ box, selected, act, language }: {
  box: Box; selected: boolean; act: Actions; language: "python" | "c";
}) {
  const { object } = box;
  const classes = ["box", `k-${object.kind}`, `is-${box.mark}`, `s-${object.standing}`, selected ? "selected" : ""];
  const key = `b${object.id}`;
  const flag = word(box, language);
  return (
    <article class={classes.join(" ")} data-box={key} onMouseEnter={() => act.hover(key)} onMouseLeave={() => act.hover(null)}>
      <button type="button" class="box-head" aria-pressed={selected} onClick={() => act.select(key)}
        title={`${object.type} at ${full(object.address)}`}>
        <span class="type">{object.type}</span>
        {flag && <span class={`flag ${flag}`}>{flag}</span>}
        <span class="address"><span class="sr">at </span>{short(object.address)}</span>
      </button>
      <Body box={box} act={act} />
      <Facts box={box} language={language} />
    </article>
  );
}

/** The inside of an object, also of one that lies in a frame. */
export function Body({ box, act }: { box: Box; act: Actions }) {
  const { object, slots, folded, foldAt } = box;
  if (slots.length === 0) {
    return object.value === null ? null : <Value box={box} />;
  }
  const key = `object ${object.id}`;
  const known = object.items.length - slots.length;
  const more = folded > 0 && (
    <li class="fold" key="fold">
      {known > 0
        ? <button type="button" onClick={() => act.unfold(key, slots.length + Math.min(known, 100))}>
            <span aria-hidden="true">⋯ </span>{number(folded)} more
          </button>
        : <span>{number(folded)} more, not kept</span>}
    </li>
  );
  const render = (slot: Slot) =>
    box.cells ? <Cell key={slot.key} slot={slot} /> : <Row key={slot.key} slot={slot} kind={object.kind} act={act} />;
  return (
    <>
      {object.value !== null && object.kind !== "sequence" && object.kind !== "mapping" && object.kind !== "set" && <Value box={box} />}
      <ul class={box.cells ? "cells" : "rows"}>
        {slots.slice(0, foldAt).map(render)}
        {more}
        {slots.slice(foldAt).map(render)}
      </ul>
    </>
  );
}

function Value({ box: { object, before } }: { box: Box }) {
  const differs = before !== null && before.value !== object.value;
  return <div class={`value${differs ? " differs" : ""}`}>{object.value}</div>;
}

/** What the trace says of C memory that never got a value. */
const UNSET = "uninitialised";

function Cell({ slot }: { slot: Slot }) {
  return (
    <li class={slotClass("cell", slot)} data-slot={slot.key} title={inlineTitle(slot)}>
      {slot.label !== "" && <span class="label">{slot.label}</span>}
      {slot.text === UNSET
        ? <span class="text unset" title={UNSET}>?</span>
        : <span class="text">{slot.text}</span>}
    </li>
  );
}

function Row({ slot, kind, act }: { slot: Slot; kind: Obj["kind"]; act: Actions }) {
  const isIndex = kind === "sequence";
  return (
    <li class={slotClass("row", slot)} data-slot={slot.key}>
      {slot.label !== "" && <span class={isIndex ? "label index" : "label"}>{slot.label}</span>}
      <SlotValue slot={slot} act={act} />
    </li>
  );
}

/** What a slot holds: a value, the beginning of an arrow, or the name of what is folded away. */
export function SlotValue({ slot, act }: { slot: Slot; act: Actions }) {
  const was = slot.was !== null && slot.target === null && <s class="was"><span class="sr">was </span>{slot.was}</s>;
  if (slot.target !== null) {
    const offset = "offset" in slot.to && slot.to.offset > 0 ? `+${number(slot.to.offset)}` : "";
    return (
      <span class="text ref">
        {offset && <span class="offset">{offset}</span>}
        <span class="sr">{slot.dangles ? "a pointer to freed memory" : "an arrow to its object"}</span>
        <span class="dot" aria-hidden="true" />
      </span>
    );
  }
  if (slot.folded !== null) {
    const target = slot.folded;
    return (
      <span class="text">
        {was} <button type="button" class="folded" onClick={() => act.select(`b${target}`)}>{slot.text}</button>
      </span>
    );
  }
  const unset = slot.text === UNSET;
  return (
    <span class={unset ? "text unset" : "text"} title={inlineTitle(slot)}>
      {was} <span>{slot.text}</span>
    </span>
  );
}

const slotClass = (kind: string, slot: Slot): string =>
  [kind, slot.changed ? "differs" : "", slot.copied ? "copied" : ""].join(" ").trim();

function inlineTitle({ inlined }: Slot): string | undefined {
  if (!inlined) return undefined;
  return `${inlined.type} at ${full(inlined.address)}, ${bytes(inlined.bytes)}, references: ${countText(inlined)}`;
}

function Facts({ box, language }: { box: Box; language: "python" | "c" }) {
  const { object, before, copy } = box;
  const bytesBefore = before && before.bytes !== object.bytes ? before.bytes : null;
  const gone = box.mark === "freed" && language === "python";
  const was = gone ? object : before;
  const isMoved = was !== null && (gone || countText(was) !== countText(object));
  return (
    <div class="facts">
      <span class="bytes">
        {bytesBefore !== null && <>{number(bytesBefore)}<Arrow /></>}{bytes(object.bytes)}
      </span>
      {copy && <span class="copy">{copy}</span>}
      {object.at && <span class="made">line {object.at[1]}</span>}
      {(object.count !== null || object.immortal) && (
        <span class={isMoved ? "count differs" : "count"}>
          <span class="sr">references: </span>
          <span aria-hidden="true" class="count-mark">{object.immortal ? "" : "refs "}</span>
          {isMoved && <>{countText(was)}<Arrow /></>}
          {gone ? "0" : countText(object)}
        </span>
      )}
    </div>
  );
}

const Arrow = () => <><span aria-hidden="true">→</span><span class="sr"> now </span></>;

/** A word for the objects that are not drawn. */
export const hiddenText = (hidden: number): string => `+${number(hidden)} more`;

