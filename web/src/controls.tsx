// The bar of controls, the search field and the help.

import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icons";
import type { Shape } from "./icons";
import { number } from "./words";

export function Controls({ index, count, playing, go, play }: {
  index: number; count: number; playing: boolean; go: (step: number) => void; play: () => void;
}) {
  const last = count - 1;
  return (
    <div class="controls" role="group" aria-label="Steps">
      <Button name="First step" keys="Home" shape="first" off={index === 0} act={() => go(0)} />
      <Button name="Step back" keys="←" shape="back" off={index === 0} act={() => go(index - 1)} />
      <Button name={playing ? "Stop playing" : "Play"} keys="Space" shape={playing ? "pause" : "play"} off={false} act={play} />
      <Button name="Next step" keys="→" shape="next" off={index === last} act={() => go(index + 1)} main />
      <Button name="Last step" keys="End" shape="last" off={index === last} act={() => go(last)} />
      <input type="range" min={1} max={count} value={index + 1} aria-label="Step"
        aria-valuetext={`step ${index + 1} of ${count}`}
        onInput={(event) => go(Number(event.currentTarget.value) - 1)} />
      <output class="step-count">step <b>{number(index + 1)}</b> of {number(count)}</output>
    </div>
  );
}

function Button({ name, keys, shape, off, act, main }: {
  name: string; keys: string; shape: Shape; off: boolean; act: () => void; main?: boolean;
}) {
  return (
    <button type="button" class={main ? "main" : ""} title={`${name} (${keys})`} aria-label={name} aria-disabled={off} onClick={() => { if (!off) act(); }}>
      <Icon shape={shape} />
    </button>
  );
}

export function Search({ find, index, go, close }: {
  find: (query: string) => readonly number[]; index: number; go: (step: number) => void; close: () => void;
}) {
  const [query, setQuery] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const found = find(query);
  useEffect(() => field.current?.focus(), []);
  const at = found.indexOf(index);
  const next = (direction: 1 | -1): void => {
    const step = direction > 0
      ? found.find((step) => step > index) ?? found[0]
      : found.findLast((step) => step < index) ?? found.at(-1);
    if (step !== undefined) go(step);
  };
  const words = query.trim() === "" ? "" : found.length === 0 ? "no step" : `${at >= 0 ? `${at + 1} of ` : ""}${number(found.length)} ${found.length === 1 ? "step" : "steps"}`;
  return (
    <form class="search" role="search" onSubmit={(event) => { event.preventDefault(); next(1); }}>
      <label for="query">Find</label>
      <input id="query" ref={field} type="search" autocomplete="off" spellcheck={false} placeholder="a line, a name, a word"
        value={query} onInput={(event) => setQuery(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") close();
          if (event.key === "Enter" && event.shiftKey) { event.preventDefault(); next(-1); }
        }} />
      <span role="status">{words}</span>
      <button type="submit" class="quiet">Next</button>
      <button type="button" class="quiet" onClick={close} aria-label="Close the search"><Icon shape="close" /></button>
    </form>
  );
}

const KEYS: readonly (readonly [string, string])[] = [
  ["→ ←", "the next step, the step before"],
  ["Home End", "the first step, the last"],
  ["Space", "play and stop"],
  ["J K", "where the selected thing changes next, changed before"],
  ["Enter", "on an object or name: select it and see its life"],
  ["Esc", "select nothing, close what is open"],
  ["/", "find a line, a name or a word"],
  ["P", "predict the next reference count before it is shown"],
  ["I", "numbers and None in their slots, or as boxes"],
  ["T", "the picture as tables"],
  ["?", "this help"],
];

const SIGNS: readonly (readonly [string, string])[] = [
  ["new", "made since the step before: outlined twice"],
  ["changed", "differs from the step before: a bar at its left"],
  ["freed", "gone: hatched, for one step; a freed C block that is still pointed to stays"],
  ["refs 2→3", "the reference count before and now"],
  ["dashed arrow", "what the name referred to before"],
  ["cross", "a pointer to freed memory"],
  ["dotted slot", "references that a slice copied: both lists hold the same objects"],
];

export function Help({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={close}
      onClick={(event) => { if (event.target === dialog.current) dialog.current?.close(); }}>
      <h2 id="help-title">Keys</h2>
      <dl>{KEYS.map(([keys, what]) => <div key={keys}><dt>{keys.split(" ").map((key) => <kbd key={key}>{key}</kbd>)}</dt><dd>{what}</dd></div>)}</dl>
      <h2>How to read the picture</h2>
      <dl>{SIGNS.map(([sign, what]) => <div key={sign}><dt>{sign}</dt><dd>{what}</dd></div>)}</dl>
      <p>Double-click a line of the program for the next step at which it runs.</p>
      <button type="button" onClick={() => dialog.current?.close()}>Close</button>
    </dialog>
  );
}
