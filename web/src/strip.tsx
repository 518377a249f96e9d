// Memory from the lowest to the highest object, each as wide as it is. What lies
// between two objects far apart is left out, and a gap says so.

import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Id, Obj } from "./data";
import type { State } from "./states";
import { bytes, plural, short } from "./words";

interface Piece { readonly object: Obj; readonly at: number }
interface Ribbon { readonly pieces: readonly Piece[]; readonly gaps: readonly number[]; readonly length: number; readonly bytes: number }

/** Space that is longer than this is left out. */
const LONG_SPACE = 512;
const HEIGHT = 30;

export function Strip({ now: state, before, born, selected, select }: {
  now: State; before: State; born: ReadonlySet<Id>; selected: Id | null; select: (id: Id) => void;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const ribbon = useMemo(() => lay(state, before), [state, before]);
  const draw = useRef(() => {});
  draw.current = () => canvas.current && paint(canvas.current, ribbon, state, born, selected);

  useEffect(() => draw.current());
  useEffect(() => {
    const again = () => draw.current();
    const observer = new ResizeObserver(again);
    observer.observe(canvas.current!);
    const theme = new MutationObserver(again);
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    const media = matchMedia("(prefers-color-scheme: dark)");
    media.addEventListener("change", again);
    return () => { observer.disconnect(); theme.disconnect(); media.removeEventListener("change", again); };
  }, []);

  const first = ribbon.pieces[0]?.object;
  const last = ribbon.pieces.at(-1)?.object;
  const find = (event: MouseEvent): Obj | null => {
    const box = canvas.current!.getBoundingClientRect();
    const { scale, gap } = measure(ribbon, box.width);
    return hit(ribbon, event.clientX - box.left, scale, gap);
  };
  const point = (event: MouseEvent): void => {
    const object = find(event);
    canvas.current!.title = object ? `${object.type} ${short(object.address)}, ${bytes(object.bytes)}` : "";
  };
  const label = first && last
    ? `Memory: ${plural(ribbon.pieces.length, "object")} of ${bytes(ribbon.bytes)} from ${short(first.address)} to ${short(last.address)}, widths true`
    : "Memory: no objects";
  return (
    <figure class="strip">
      <canvas ref={canvas} role="img" aria-label={label} height={HEIGHT} onMouseMove={point}
        onClick={(event) => { const object = find(event); if (object) select(object.id); }} />
      <figcaption>
        <span>{first ? short(first.address) : ""}</span>
        <span class="legend">{first ? "memory in address order, widths true" : "no memory on the heap"}{ribbon.gaps.length > 0 && <> · // space left out</>}</span>
        <span>{last ? short(last.address + last.bytes) : ""}</span>
      </figcaption>
    </figure>
  );
}

/** Objects one after the other; those that are freed by this step keep their place. */
function lay(state: State, before: State): Ribbon {
  const all = [...state.values()].filter((object) => object.standing !== "static" && object.standing !== "stack" && object.address > 0);
  for (const object of before.values()) {
    if (!state.has(object.id) && object.standing === "reached") all.push(object);
  }
  all.sort((one, other) => one.address - other.address);
  const pieces: Piece[] = [];
  const gaps: number[] = [];
  let at = 0;
  let end = 0;
  let sum = 0;
  for (const object of all) {
    const space = object.address - end;
    if (pieces.length > 0 && space > LONG_SPACE) gaps.push(pieces.length);
    else if (pieces.length > 0 && space > 0) at += space;
    pieces.push({ object, at });
    at += object.bytes;
    sum += object.bytes;
    end = Math.max(end, object.address + object.bytes);
  }
  return { pieces, gaps, length: at, bytes: sum };
}

function measure(ribbon: Ribbon, width: number): { scale: number; gap: number } {
  const gap = Math.min(10, (width * 0.4) / Math.max(1, ribbon.gaps.length));
  return { scale: (width - gap * ribbon.gaps.length) / Math.max(1, ribbon.length), gap };
}

function* placed(ribbon: Ribbon, scale: number, gap: number): Generator<{ object: Obj; x: number; width: number; isAfterGap: boolean }> {
  let passed = 0;
  for (const [index, { object, at }] of ribbon.pieces.entries()) {
    const isAfterGap = ribbon.gaps[passed] === index;
    if (isAfterGap) passed++;
    yield { object, x: at * scale + passed * gap, width: object.bytes * scale, isAfterGap };
  }
}

function hit(ribbon: Ribbon, x: number, scale: number, gap: number): Obj | null {
  for (const piece of placed(ribbon, scale, gap)) {
    if (x >= piece.x - 1 && x <= piece.x + Math.max(2, piece.width)) return piece.object;
  }
  return null;
}

function paint(canvas: HTMLCanvasElement, ribbon: Ribbon, state: State, born: ReadonlySet<Id>, selected: Id | null): void {
  const width = canvas.clientWidth;
  const ratio = devicePixelRatio || 1;
  const wanted = Math.round(width * ratio);
  if (canvas.width !== wanted) canvas.width = wanted;
  canvas.height = HEIGHT * ratio;
  const context = canvas.getContext("2d");
  if (!context) return;
  const style = getComputedStyle(canvas);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const ink = { block: colour("--block"), edge: colour("--edge"), fresh: colour("--new"), freed: colour("--freed"), lit: colour("--lit"), quiet: colour("--quiet") };
  context.scale(ratio, ratio);
  context.clearRect(0, 0, width, HEIGHT);
  const { scale, gap } = measure(ribbon, width);
  for (const { object, x, width: wide, isAfterGap } of placed(ribbon, scale, gap)) {
    const shown = Math.max(1, wide);
    const isGone = !state.has(object.id) || object.standing === "freed";
    if (isAfterGap && gap >= 6) slashes(context, x - gap / 2, ink.quiet);
    if (isGone) hatch(context, x, shown, ink.freed);
    else {
      context.fillStyle = object.id === selected ? ink.lit : born.has(object.id) ? ink.fresh : ink.block;
      context.fillRect(x, 4, Math.max(1, shown - (shown > 4 ? 1 : 0)), HEIGHT - 8);
    }
    if (object.id === selected) {
      context.strokeStyle = ink.lit;
      context.lineWidth = 2;
      context.strokeRect(x - 1, 2, shown + 1, HEIGHT - 4);
    }
    if (born.has(object.id) && !isGone) {
      context.fillStyle = ink.fresh;
      context.fillRect(x, 0, Math.max(2, shown), 3);
    }
  }
}

function slashes(context: CanvasRenderingContext2D, x: number, colour: string): void {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  for (const shift of [-2, 1]) {
    context.moveTo(x + shift - 1, HEIGHT - 9);
    context.lineTo(x + shift + 2, 9);
  }
  context.stroke();
}

function hatch(context: CanvasRenderingContext2D, x: number, width: number, colour: string): void {
  context.save();
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  context.rect(x, 4, width, HEIGHT - 8);
  context.stroke();
  context.clip();
  context.beginPath();
  for (let at = x - HEIGHT; at < x + width; at += 5) {
    context.moveTo(at, HEIGHT - 4);
    context.lineTo(at + HEIGHT - 8, 4);
  }
  context.stroke();
  context.restore();
}
