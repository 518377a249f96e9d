// The page: which step is shown, what is selected, and the keys.

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Arrows } from "./arrows";
import { hiddenText, ObjectBox } from "./box";
import type { Actions } from "./box";
import { Code } from "./code";
import { Controls, Help, Search } from "./controls";
import type { Trace } from "./data";
import { jump, lifeOf, question, search, selectionOf } from "./follow";
import { LifePanel, Output, Predict } from "./panels";
import type { Score } from "./panels";
import { picture } from "./picture";
import type { Box, Look } from "./picture";
import { Stack } from "./stack";
import type { States } from "./states";
import { Strip } from "./strip";
import { Tables } from "./table";
import { bytes, number, plural } from "./words";

/** How many boxes more a click on "+12,431 more" draws. */
const MORE_BOXES = 160;
const PLAY_MS = 800;
const ADDRESS_MS = 200;

type Theme = "system" | "light" | "dark";
const THEMES: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };

export function App({ states }: { states: States }) {
  const { trace } = states;
  const last = trace.steps.length - 1;
  const [index, setIndex] = useState(() => stepOfHash(last) ?? 0);
  const [selected, setSelected] = useState<string | null>(null);
  const [hovered, setHovered] = useState<string | null>(null);
  const [inline, setInline] = useState(true);
  const [asTable, setAsTable] = useState(false);
  const [rest, setRest] = useState(0);
  const [unfolded, setUnfolded] = useState<ReadonlyMap<string, number>>(new Map());
  const [playing, setPlaying] = useState(false);
  const [searching, setSearching] = useState(false);
  const [helping, setHelping] = useState(false);
  const [predicting, setPredicting] = useState(false);
  const [asked, setAsked] = useState<number | null>(null);
  const [score, setScore] = useState<Score>({ right: 0, asked: 0, last: "" });
  const [theme, setTheme] = useTheme();

  const selection = selected === null ? null : selectionOf(selected);
  const selectedId = selection?.what === "object" ? selection.id : null;
  const life = useMemo(() => (selected === null ? [] : lifeOf(states, selectionOf(selected))), [states, selected]);
  const look: Look = { inline, rest, unfolded, selected: selectedId };
  const drawn = useMemo(() => picture(states, index, look), [states, index, inline, rest, unfolded, selectedId]);
  const ask = useMemo(() => (predicting && asked === index ? question(states, index) : null), [predicting, asked, index, states]);
  const step = trace.steps[index]!;

  const go = useCallback((to: number) => {
    setIndex(Math.max(0, Math.min(last, to)));
    setAsked(null);
  }, [last]);
  /** One step on; in predict mode asks first where there is something to ask. */
  const forward = (): void => {
    if (predicting && question(states, index)) setAsked(index);
    else go(index + 1);
  };
  const move = (to: number): void => (to === index + 1 ? forward() : go(to));
  const answer = (given: number | null): void => {
    if (!ask) return;
    const truth = ask.answer === 0 ? "0: it is freed" : number(ask.answer);
    const isRight = given === ask.answer;
    const verdict = given === null ? `It is ${truth}.` : isRight ? `✓ Right: ${truth}.` : `✗ Not ${number(given)}: it is ${truth}.`;
    setScore({
      right: score.right + (isRight ? 1 : 0),
      asked: score.asked + (given === null ? 0 : 1),
      last: verdict,
    });
    go(index + 1);
  };
  const follow = (direction: 1 | -1): void => {
    const found = jump(life, index, direction);
    if (found !== null) go(found);
  };
  const act = useMemo((): Actions => ({
    select: (key) => setSelected((now) => (now === key ? null : key)),
    hover: setHovered,
    unfold: (key, most) => setUnfolded((now) => new Map(now).set(key, most)),
  }), []);
  const find = useCallback((query: string) => search(trace, query), [trace]);
  const pick = useCallback((source: number, line: number) => {
    setIndex((now) => {
      const runs = (from: number): number => trace.steps.findIndex((other, at) => at > from && other.source === source && other.line === line);
      const next = runs(now);
      const found = next >= 0 ? next : runs(-1);
      return found >= 0 ? found : now;
    });
  }, [trace]);

  useEffect(() => {
    // Browsers refuse a page that writes its address often, and each time costs some milliseconds.
    const timer = setTimeout(() => history.replaceState(null, "", `#step=${index + 1}`), ADDRESS_MS);
    return () => clearTimeout(timer);
  }, [index]);
  useEffect(() => {
    const changed = (): void => { const to = stepOfHash(last); if (to !== null) go(to); };
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, [go, last]);
  useEffect(() => {
    if (!playing) return;
    if (index >= last) return setPlaying(false);
    const timer = setTimeout(forward, PLAY_MS);
    return () => clearTimeout(timer);
  }, [playing, index, asked]);
  useEffect(() => {
    document.title = `Step ${index + 1}, ${fileName(trace)} · memsight view`;
  }, [index, trace]);

  const keys: Record<string, () => void> = {
    ArrowRight: forward,
    ArrowLeft: () => go(index - 1),
    Home: () => go(0),
    End: () => go(last),
    " ": () => setPlaying(!playing),
    "/": () => setSearching(true),
    "?": () => setHelping(true),
    p: () => setPredicting(!predicting),
    i: () => setInline(!inline),
    t: () => setAsTable(!asTable),
    j: () => follow(1),
    k: () => follow(-1),
    Escape: () => { setSearching(false); setAsked(null); setSelected(null); },
  };
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      if (isTyping(event.target) && event.key !== "Escape") return;
      if (event.key === " " && event.target instanceof HTMLButtonElement) return;
      const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const action = Object.hasOwn(latest.current, name) ? latest.current[name] : undefined;
      if (!action) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);

  const born = useMemo(() => new Set(index > 0 ? step.born.map((object) => object.id) : []), [step, index]);
  const box = (one: Box) => (
    <ObjectBox key={one.object.id} box={one} selected={selectedId === one.object.id} act={act} language={trace.language} />
  );
  const lanes = new Set(drawn.frames.flatMap(({ names }) => names.flatMap(({ target }) => target ?? []))).size;

  return (
    <div class={selected === null ? "page" : "page has-life"}>
      <header class="top">
        <h1><span class="brand">memsight view</span> <span class="file">{fileName(trace)}</span></h1>
        <span class="made-by">{trace.madeBy}</span>
        <span class="switches">
          <Switch on={inline} act={keys["i"]!} name="values inline" title="Numbers and None in their slots, or as boxes (I)" />
          <Switch on={predicting} act={keys["p"]!} name="predict" title="Asks the next reference count before it is shown (P)" />
          <Switch on={asTable} act={keys["t"]!} name="as tables" title="The picture as tables (T)" />
          <button type="button" class="quiet" onClick={() => setSearching(!searching)} title="Find (/)">find</button>
          <button type="button" class="quiet" onClick={() => setTheme(THEMES[theme])} title="Light or dark">colours: {theme}</button>
          <button type="button" class="quiet" onClick={() => setHelping(true)} title="Help (?)" aria-label="Help">?</button>
        </span>
      </header>
      <Controls index={index} count={last + 1} playing={playing} go={move} play={keys[" "]!} />
      {searching && <Search find={find} index={index} go={go} close={() => setSearching(false)} />}
      <Notes trace={trace} index={index} last={last} />
      {predicting && <Predict ask={ask} states={states} index={index} score={score} answer={answer} />}
      <p class={`say ${step.event}`} role="status" aria-live="polite">
        <span class="event">{eventWord(trace, index)}</span> <Sentence text={step.say || (step.line > 0 ? `Line ${step.line} is next.` : "")} />
        {step.temporaries.length > 0 && <span class="temporaries"> {step.temporaries.map(temporary).join("; ")}.</span>}
      </p>
      <div class="side">
        <Code trace={trace} index={index} pick={pick} />
        {selected !== null && (
          <LifePanel states={states} index={index} selected={selected} life={life} go={go} close={() => setSelected(null)} jump={follow} />
        )}
        <Output states={states} index={index} />
      </div>
      <main class="view" aria-label="Memory at this step">
        <div class="scroll" tabIndex={0} role="region" aria-label="The picture">
          {asTable
            ? <Tables picture={drawn} state={states.at(index)} more={() => setRest(rest + MORE_BOXES)} />
            : <div class="canvas" style={{ "--lanes": Math.min(lanes, 10) }}>
                <Stack picture={drawn} trace={trace} act={act} selected={selected} />
                <section class="heap" aria-label="Heap, in address order">
                  <h2>Heap <span class="sum">{plural(drawn.live, "object")}, {bytes(drawn.liveBytes)}</span></h2>
                  {drawn.boxes.length === 0 && drawn.shelf.length === 0 && <p class="empty">Nothing is here at this step.</p>}
                  <div class="grid">{drawn.boxes.map(box)}</div>
                  {drawn.hidden > 0 && (
                    <button type="button" class="more" onClick={() => setRest(rest + MORE_BOXES)}>{hiddenText(drawn.hidden)}</button>
                  )}
                  {drawn.shelf.length > 0 && (
                    <section class="shelf" aria-label={shelfTitle(trace)}>
                      <h3>{shelfTitle(trace)}</h3>
                      <div class="grid">{drawn.shelf.map(box)}</div>
                    </section>
                  )}
                </section>
                <Arrows picture={drawn} selected={selected} hovered={hovered} />
              </div>}
        </div>
        <Strip {...states.pair(index)} born={born} selected={selectedId} select={(id) => act.select(`b${id}`)} />
      </main>
      {helping && <Help close={() => setHelping(false)} />}
    </div>
  );
}

const shelfTitle = (trace: Trace): string =>
  trace.language === "c" ? "Leaked: no pointer leads to these" : "No name leads to these";

/** A sentence in which what stands between backticks is the program's. */
const Sentence = ({ text }: { text: string }) =>
  <>{text.split("`").map((part, at) => (at % 2 === 1 ? <code key={at}>{part}</code> : part))}</>;

function Switch({ on, act, name, title }: { on: boolean; act: () => void; name: string; title: string }) {
  return (
    <button type="button" class="switch" role="switch" aria-checked={on} onClick={act} title={title}>
      <span class="knob" aria-hidden="true" />{name}
    </button>
  );
}

function Notes({ trace, index, last }: { trace: Trace; index: number; last: number }) {
  const { truncated, notes, ending } = trace;
  const isLast = index === last;
  if (!truncated && notes.length === 0 && !isLast) return null;
  return (
    <div class="notes">
      {isLast && <p class="ending"><b>{truncated ? "The last step here." : "The end."}</b> The program: {ending}.</p>}
      {truncated && <p class="truncated"><b>Not all steps are here.</b> {truncated}</p>}
      {notes.length > 0 && (
        <details>
          <summary>{plural(notes.length, "note")} on what is not known</summary>
          <ul>{notes.map((note) => <li key={note}>{note}</li>)}</ul>
        </details>
      )}
    </div>
  );
}

function eventWord(trace: Trace, index: number): string {
  const step = trace.steps[index]!;
  const thread = trace.steps.some((other) => other.thread > 0) ? `thread ${step.thread} · ` : "";
  const words = { call: "call", line: "line", return: step.pauses ? "pause" : "return", exception: trace.language === "c" ? "fault" : "exception", end: "end" };
  return `${thread}${words[step.event]}${step.line > 0 && step.event !== "end" ? ` ${step.line}` : ""}`;
}

const temporary = ({ type, count, bytes: sum }: Trace["steps"][number]["temporaries"][number]): string => {
  const what = type ?? "block without an object";
  return count === 1
    ? `A ${what} of ${bytes(sum)} was made and freed`
    : `${number(count)} × ${what}, ${bytes(sum)} in all, were made and freed`;
};

const fileName = (trace: Trace): string => trace.sources[0]?.path.split("/").at(-1) ?? "";

/** `#step=12` is the twelfth step. */
function stepOfHash(last: number): number | null {
  const found = /(?:^#|&)step=(\d+)/.exec(location.hash);
  return found ? Math.max(0, Math.min(last, Number(found[1]) - 1)) : null;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement && target.type !== "range" || target instanceof HTMLTextAreaElement;
}

/** The colours that the reader chose, where the browser lets a page keep anything. */
function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(() => {
    try {
      const kept = localStorage.getItem("memsight-theme");
      return kept === "light" || kept === "dark" ? kept : "system";
    } catch {
      return "system";
    }
  });
  useEffect(() => {
    if (theme === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
  }, [theme]);
  return [theme, (next) => {
    setTheme(next);
    try {
      localStorage.setItem("memsight-theme", next);
    } catch {
      // A page that may keep nothing asks again next time.
    }
  }];
}
