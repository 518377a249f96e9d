// What stands beside the picture: the life of what is selected, the output, the question.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Life, Obj } from "./data";
import { Icon } from "./icons";
import { selectionOf } from "./follow";
import type { Question } from "./follow";
import type { States } from "./states";
import { bytes, countText, cut, full, number, short } from "./words";

const SIGNS: Record<string, readonly [sign: string, word: string]> = {
  born: ["●", "born"], died: ["×", "freed"], left: ["○", "out of sight"], "+": ["+", "reference gained"],
  "-": ["−", "reference lost"], count: ["#", "references"], value: ["=", "now"], standing: ["!", ""], more: ["…", ""],
};

export function LifePanel({ states, index, selected, life, go, close, jump }: {
  states: States; index: number; selected: string; life: readonly Life[];
  go: (step: number) => void; close: () => void; jump: (direction: 1 | -1) => void;
}) {
  const current = life.findLastIndex((event) => event.step <= index);
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const row = list.current?.children[current];
    if (row instanceof HTMLElement) list.current!.scrollTop = row.offsetTop - list.current!.offsetTop - 60;
  }, [current, selected]);
  return (
    <section class="panel life" aria-label="Life of what is selected">
      <header>
        <h2>{title(states, index, selected)}</h2>
        <button type="button" class="quiet" onClick={() => jump(-1)} title="Where this changed before (K)"><span class="sr">Where this changed before</span><Icon shape="before" /></button>
        <button type="button" class="quiet" onClick={() => jump(1)} title="Where this changes next (J)"><span class="sr">Where this changes next</span><Icon shape="after" /></button>
        <button type="button" class="quiet" onClick={close} title="Close (Esc)"><span class="sr">Close</span><Icon shape="close" /></button>
      </header>
      <p class="facts-line">{facts(states, index, selected)}</p>
      {life.length === 0
        ? <p class="empty">Nothing is known of its life.</p>
        : <ol ref={list} tabIndex={0} aria-label="Events">
            {life.map((event, at) => {
              const [sign, word] = SIGNS[event.what] ?? ["·", event.what];
              return (
                <li key={at} class={at === current ? "now" : event.step > index ? "later" : ""}>
                  <button type="button" onClick={() => go(event.step)} aria-current={at === current ? "step" : undefined}>
                    <span class="step-number">{number(event.step + 1)}</span>
                    <span class={`sign ${event.what === "+" ? "gained" : event.what === "-" ? "lost" : event.what}`} aria-hidden="true">{sign}</span>
                    <span class="what">{word} {event.text && event.text !== word && <b>{event.text}</b>}</span>
                  </button>
                </li>
              );
            })}
          </ol>}
    </section>
  );
}

function title(states: States, index: number, selected: string): string {
  const selection = selectionOf(selected);
  if (selection.what === "name") return selection.name;
  const object = states.at(index).get(selection.id) ?? states.at(index - 1).get(selection.id);
  return object ? `${object.type} ${short(object.address)}` : "An object that is not there now";
}

function facts(states: States, index: number, selected: string): string {
  const selection = selectionOf(selected);
  if (selection.what === "name") return "a name, and what it came to refer to";
  const object = states.at(index).get(selection.id);
  if (!object) return "Not alive at this step.";
  const count = countText(object);
  const value = object.value === null ? "" : ` · ${cut(object.value, 60)}`;
  const references = count === "" ? "" : count === "immortal" ? " · immortal" : ` · ${count} ${count === "1" ? "reference" : "references"}`;
  return `${full(object.address)} · ${bytes(object.bytes)}${references}${value}`;
}

const MOST_OUTPUT = 20_000;

export function Output({ states, index }: { states: States; index: number }) {
  const { text, cut: isCut } = states.outputAt(index, MOST_OUTPUT);
  const step = states.trace.steps[index]!;
  const pane = useRef<HTMLPreElement>(null);
  useEffect(() => {
    if (pane.current) pane.current.scrollTop = pane.current.scrollHeight;
  }, [text]);
  const fresh = step.out.length + step.err.length;
  return (
    <section class="panel output" aria-label="Output so far">
      <header><h2>Output so far</h2>{fresh > 0 && <span class="flag new">new</span>}</header>
      <pre ref={pane} tabIndex={0}>
        {isCut && <span class="empty">(the beginning is left out){"\n"}</span>}
        {text === "" ? <span class="empty">nothing yet</span> : text.slice(0, Math.max(0, text.length - fresh))}
        {fresh > 0 && <mark>{text.slice(-fresh)}</mark>}
      </pre>
    </section>
  );
}

export interface Score { readonly right: number; readonly asked: number; readonly last: string }

export function Predict({ ask, states, index, score, answer }: {
  ask: Question | null; states: States; index: number; score: Score; answer: (given: number | null) => void;
}) {
  const object = ask && states.at(index).get(ask.id);
  return (
    <section class="predict" aria-label="Predict">
      {ask && object
        ? <Ask key={ask.step} ask={ask} object={object} answer={answer} />
        : <p>Predict is on: before a reference count changes you are asked what it will be. 0 means that the object is freed.</p>}
      <p class="score" role="status">{score.last}{score.asked > 0 && <> <b>{score.right} of {score.asked} right</b></>}</p>
    </section>
  );
}

function Ask({ ask, object, answer }: { ask: Question; object: Obj; answer: (given: number | null) => void }) {
  const [given, setGiven] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const now = ask.before === 1 ? "1 reference" : `${number(ask.before)} references`;
  return (
    <form onSubmit={(event) => { event.preventDefault(); if (/^\d+$/.test(given.trim())) answer(Number(given)); }}>
      <label for="guess">
        {ask.called && <><code>{ask.called}</code> names </>}the {object.type} {short(object.address)} with {now}. How many after this step?
      </label>
      <input id="guess" ref={field} inputMode="numeric" autocomplete="off" size={4} value={given} onInput={(event) => setGiven(event.currentTarget.value)} />
      <button type="submit">Answer</button>
      <button type="button" class="quiet" onClick={() => answer(null)}>Show me</button>
    </form>
  );
}
