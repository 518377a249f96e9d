// The stack as cards, outermost first: names and what they hold.

import type { Trace } from "./data";
import type { FrameView, NameSlot, Picture } from "./picture";
import { Body, SlotValue } from "./box";
import type { Actions } from "./box";
import { bytes, full, short } from "./words";

const KINDS = { local: "", global: "", cell: "shared with an inner function", held: "held by the line, without a name" } as const;
const FRAMES = { function: "", module: "module", class: "class body", generator: "generator, on the heap" } as const;

export function Stack({ picture, trace, act, selected }: {
  picture: Picture; trace: Trace; act: Actions; selected: string | null;
}) {
  const { frames, gone, value } = picture;
  const folded = frames.length > MOST ? frames.length - MOST : 0;
  const shown = folded ? [...frames.slice(0, 3), ...frames.slice(3 + folded)] : frames;
  return (
    <section class="stack" aria-label="Call stack, outermost first">
      <h2>Stack</h2>
      {frames.length === 0 && !gone && <p class="empty">No call is left.</p>}
      {shown.map((view, at) => (
        <div key={view.frame.id}>
          {folded > 0 && at === 3 && <p class="frames-folded">⋯ {folded} more calls between</p>}
          <FrameCard view={view} trace={trace} act={act} selected={selected} />
        </div>
      ))}
      {value && (
        <div class="card value-card" data-box="fvalue">
          <ul class="names"><NameRow slot={value} act={act} selected={null} owner="value" /></ul>
        </div>
      )}
      {gone && (
        <div class="card is-gone">
          <div class="card-head"><span class="function">{gone.name}</span><span class="flag freed">returned</span></div>
        </div>
      )}
    </section>
  );
}

/** More calls than these are folded in the middle: recursion. */
const MOST = 24;

function FrameCard({ view, trace, act, selected }: {
  view: FrameView; trace: Trace; act: Actions; selected: string | null;
}) {
  const { frame, isTop, isNew, names, hidden } = view;
  const source = trace.sources[frame.source];
  const classes = ["card", `k-${frame.kind}`, isTop ? "is-top" : "", isNew ? "is-new" : ""];
  const where = trace.sources.length > 1 && source ? `${source.path.split("/").at(-1)}:${frame.line}` : `line ${frame.line}`;
  return (
    <article class={classes.join(" ").trim()} data-box={`f${frame.id}`}>
      <div class="card-head">
        <span class="function">{frame.name}</span>
        {isNew && <span class="flag new">called</span>}
        <span class="where">{FRAMES[frame.kind] && <span class="frame-kind">{FRAMES[frame.kind]} · </span>}{where}</span>
      </div>
      {names.length > 0 && (
        <ul class="names">
          {names.map((slot) => <NameRow key={slot.key} slot={slot} act={act} selected={selected} owner={`n${frame.id}`} />)}
        </ul>
      )}
      {hidden > 0 && (
        <button type="button" class="fold" onClick={() => act.unfold(`frame ${frame.id}`, names.length + 50)}>⋯ {hidden} more names</button>
      )}
    </article>
  );
}

function NameRow({ slot, act, selected, owner }: {
  slot: NameSlot; act: Actions; selected: string | null; owner: string;
}) {
  const { name, embedded } = slot;
  const key = `${owner} ${name.name}`;
  const classes = ["name", name.kind, slot.changed ? "differs" : "", selected === key ? "selected" : ""];
  const place = name.place;
  const title = place ? `${place.type} at ${full(place.address)}, ${bytes(place.bytes)}` : KINDS[name.kind] || undefined;
  return (
    <li class={classes.join(" ").trim()}>
      <div class="name-line" data-slot={slot.key} onMouseEnter={() => act.hover(slot.key)} onMouseLeave={() => act.hover(null)}>
        {owner === "value"
          ? <span class="label">{name.name}</span>
          : <button type="button" class="label" title={title} aria-pressed={selected === key} onClick={() => act.select(key)}>{name.name}</button>}
        {name.kind === "cell" && <span class="kind" title={KINDS.cell}>shared</span>}
        {place && <span class="place">{place.type} <span class="address">{short(place.address)}</span></span>}
        {!embedded && (place?.uninitialised
          ? <span class="text unset">uninitialised</span>
          : <SlotValue slot={slot} act={act} />)}
      </div>
      {embedded && <div class="embedded" data-box={`b${embedded.object.id}`}><Body box={embedded} act={act} /></div>}
    </li>
  );
}
