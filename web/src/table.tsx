// The picture as tables: the same facts, for readers of screens and for copying.

import type { Ref } from "./data";
import { isObject } from "./data";
import type { Box, FrameView, Picture, Slot } from "./picture";
import type { State } from "./states";
import { bytes, countText, describe, full, number } from "./words";

export function Tables({ picture, state, more }: { picture: Picture; state: State; more: () => void }) {
  const boxes = [...picture.boxes, ...picture.shelf];
  return (
    <div class="tables">
      <table>
        <caption>Stack: names and what they hold</caption>
        <thead><tr><th scope="col">Frame</th><th scope="col">Name</th><th scope="col">Holds</th><th scope="col">Address</th><th scope="col">This step</th></tr></thead>
        <tbody>{picture.frames.flatMap((view) => frameRows(view, state))}</tbody>
      </table>
      <table>
        <caption>Heap: objects in address order</caption>
        <thead><tr>
          <th scope="col">Address</th><th scope="col">Type</th><th scope="col" class="number">Bytes</th>
          <th scope="col" class="number">References</th><th scope="col">Holds</th><th scope="col">This step</th>
        </tr></thead>
        <tbody>{boxes.map((box) => <BoxRow key={box.object.id} box={box} state={state} />)}</tbody>
      </table>
      {picture.hidden > 0 && <p><button type="button" onClick={more}>+{number(picture.hidden)} more objects</button></p>}
    </div>
  );
}

function frameRows({ frame, names, isTop }: FrameView, state: State) {
  const head = `${frame.name}, line ${frame.line}${isTop ? " (runs)" : ""}`;
  if (names.length === 0) return [<tr key={frame.id}><th scope="row">{head}</th><td colSpan={4}>no names</td></tr>];
  return names.map((slot, at) => (
    <tr key={`${frame.id}.${at}`}>
      {at === 0 && <th scope="rowgroup" rowSpan={names.length}>{head}</th>}
      <td><code>{slot.label}</code></td>
      <td>{slot.name.place?.uninitialised ? "uninitialised" : describe(slot.to, state)}{slot.dangles && " (freed)"}</td>
      <td class="address">{addressOf(slot.to, state)}</td>
      <td>{slot.changed ? (slot.was === null ? "new" : `was ${slot.was}`) : ""}</td>
    </tr>
  ));
}

const addressOf = (to: Ref, state: State): string => {
  const object = isObject(to) ? state.get(to.id) : undefined;
  return object ? full(object.address + (isObject(to) ? to.offset : 0)) : "";
};

function BoxRow({ box, state }: { box: Box; state: State }) {
  const { object, before, mark, slots, folded } = box;
  const count = countText(object);
  const moved = before && countText(before) !== count ? `${countText(before)} → ${count}` : count;
  const standing = object.standing === "unreached" ? "no name leads to it" : object.standing === "freed" ? "freed, still pointed to" : "";
  const held = slots.map((slot: Slot) => `${slot.label === "" ? "" : `${slot.label}: `}${describe(slot.to, state)}`).join(", ");
  return (
    <tr>
      <th scope="row" class="address">{full(object.address)}</th>
      <td>{object.type}</td>
      <td class="number">{bytes(object.bytes)}</td>
      <td class="number">{mark === "freed" && object.count !== null ? `${countText(object)} → 0` : moved}</td>
      <td>{[object.value, held].filter(Boolean).join(" · ")}{folded > 0 && `, ${number(folded)} more`}</td>
      <td>{[mark === "same" ? "" : mark, standing].filter(Boolean).join("; ")}</td>
    </tr>
  );
}
