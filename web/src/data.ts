// The trace as `memsight view` writes it into the page; crates/picture/src/page.rs
// documents it. Here it becomes whole values: texts put in, addresses as numbers.

export type Id = number;

export type Kind =
  | "value" | "sequence" | "mapping" | "set" | "fields" | "class" | "function" | "iterator" | "closed";
export type Standing = "reached" | "unreached" | "freed" | "stack" | "static";
export type NameKind = "local" | "global" | "cell" | "held";
export type EventKind = "call" | "line" | "return" | "exception" | "end";

/** A reference to an object, or a C value that is none. */
export type Ref = ObjectRef | ValueRef;
export interface ObjectRef { readonly id: Id; readonly offset: number }
export interface ValueRef { readonly text: string }

export interface Item { readonly label: string; readonly to: Ref }

/** An object as it is at one step; never changed in place, so identity tells what is new. */
export interface Obj {
  readonly id: Id;
  readonly address: number;
  readonly type: string;
  readonly kind: Kind;
  readonly standing: Standing;
  readonly bytes: number;
  readonly count: number | null;
  readonly immortal: boolean;
  readonly value: string | null;
  readonly items: readonly Item[];
  readonly more: number;
  readonly at: readonly [source: number, line: number] | null;
}

export interface Place {
  readonly address: number;
  readonly type: string;
  readonly bytes: number;
  readonly uninitialised: boolean;
}
export interface Name { readonly name: string; readonly kind: NameKind; readonly to: Ref; readonly place: Place | null }
export interface Frame {
  readonly id: number;
  readonly name: string;
  readonly source: number;
  readonly line: number;
  readonly kind: "function" | "module" | "class" | "generator";
  readonly names: readonly Name[];
}

export interface Temporary { readonly type: string | null; readonly count: number; readonly bytes: number }
export interface Life { readonly step: number; readonly what: string; readonly text: string }

export interface Step {
  readonly event: EventKind;
  readonly pauses: boolean;
  readonly thread: number;
  readonly source: number;
  readonly line: number;
  readonly say: string;
  readonly out: string;
  readonly err: string;
  readonly value: Ref | null;
  readonly stack: readonly Frame[];
  readonly born: readonly Obj[];
  readonly changed: readonly Change[];
  readonly died: readonly Id[];
  readonly left: readonly Id[];
  readonly temporaries: readonly Temporary[];
}

export interface Change {
  readonly id: Id;
  readonly fields: Partial<Obj>;
  readonly splice: { readonly at: number; readonly gone: number; readonly items: readonly Item[] } | null;
}

export interface Trace {
  readonly language: "python" | "c";
  readonly madeBy: string;
  readonly ending: string;
  readonly truncated: string | null;
  readonly notes: readonly string[];
  readonly sources: readonly { readonly path: string; readonly text: string }[];
  readonly steps: readonly Step[];
  readonly lives: ReadonlyMap<Id, readonly Life[]>;
}

type Raw = any;

/** The trace out of base64 of gzip'd JSON. */
export async function read(base64: string): Promise<Trace> {
  const binary = atob(base64.trim());
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return decode(JSON.parse(await new Response(unpacked).text()));
}

/** A trace out of the page's JSON. */
export function decode(raw: Raw): Trace {
  if (raw.schema_version !== 1) throw new Error(`the trace has format ${raw.schema_version}; this page reads 1`);
  const decoder = new Decoder(raw.texts);
  let stack: readonly Frame[] = [];
  const steps = raw.steps.map((step: Raw): Step => {
    if (step.stack || step.keep !== undefined) {
      const kept = stack.slice(0, step.keep ?? 0);
      stack = [...kept, ...(step.stack ?? NONE).map((frame: Raw) => decoder.frame(frame))];
    }
    return {
      event: step.e,
      pauses: step.y ?? false,
      thread: step.t ?? 0,
      source: step.f,
      line: step.l,
      say: step.say ?? "",
      out: step.out ?? "",
      err: step.err ?? "",
      value: step.v === undefined || step.v === null ? null : decoder.ref(step.v),
      stack,
      born: (step.born ?? NONE).map((object: Raw) => decoder.object(object)),
      changed: (step.changed ?? NONE).map((change: Raw) => decoder.change(change)),
      died: step.died ?? NONE,
      left: step.left ?? NONE,
      temporaries: (step.temp ?? NONE).map(([type, count, bytes]: Raw) => (
        { type: type === null ? null : decoder.text(type), count, bytes })),
    };
  });
  const lives = new Map<Id, Life[]>();
  for (const [id, life] of Object.entries<Raw>(raw.lives ?? {})) {
    lives.set(Number(id), life.map(([step, what, text]: Raw) => ({ step, what, text: decoder.text(text ?? "") })));
  }
  return {
    language: raw.language,
    madeBy: raw.made_by,
    ending: raw.ending,
    truncated: raw.truncated ?? null,
    notes: raw.notes ?? [],
    sources: raw.sources,
    steps,
    lives,
  };
}

const NONE: readonly never[] = [];

const NAME_KINDS: Record<string, NameKind> = { l: "local", g: "global", c: "cell", h: "held" };

class Decoder {
  constructor(private readonly texts: readonly string[]) {}

  /** A text by its index; one that stands there itself is taken as it is. */
  text(index: number | string): string {
    return typeof index === "string" ? index : this.texts[index] ?? "";
  }

  ref(raw: Raw): Ref {
    if (typeof raw === "number") return { id: raw, offset: 0 };
    if (Array.isArray(raw)) return { id: raw[0], offset: raw[1] };
    return { text: this.text(raw.v) };
  }

  item = ([label, to]: Raw): Item => ({ label: this.text(label), to: this.ref(to) });

  frame(raw: Raw): Frame {
    return {
      id: raw.id,
      name: this.text(raw.n),
      source: raw.f,
      line: raw.l,
      kind: raw.k,
      names: raw.names.map(([name, kind, to, place]: Raw): Name => ({
        name: this.text(name),
        kind: NAME_KINDS[kind] ?? "local",
        to: this.ref(to),
        place: place
          ? { address: parseInt(place[0], 16), type: this.text(place[1]), bytes: place[2], uninitialised: place[3] === 1 }
          : null,
      })),
    };
  }

  /** Those fields that are there. */
  fields(raw: Raw): Partial<Obj> {
    const fields: { -readonly [Field in keyof Obj]?: Obj[Field] } = {};
    if ("a" in raw) fields.address = parseInt(raw.a, 16);
    if ("t" in raw) fields.type = this.text(raw.t);
    if ("k" in raw) fields.kind = raw.k;
    if ("s" in raw) fields.standing = raw.s;
    if ("b" in raw) fields.bytes = raw.b;
    if ("r" in raw) fields.count = raw.r;
    if ("i" in raw) fields.immortal = raw.i;
    if ("v" in raw) fields.value = raw.v === null ? null : this.text(raw.v);
    if ("more" in raw) fields.more = raw.more;
    if ("at" in raw) fields.at = raw.at;
    return fields;
  }

  object(raw: Raw): Obj {
    return {
      id: raw.id, address: 0, type: "", kind: "closed", standing: "reached", bytes: 0, count: null,
      immortal: false, value: null, more: 0, at: null,
      ...this.fields(raw),
      items: raw.items ? raw.items.map(this.item) : NONE,
    };
  }

  change(raw: Raw): Change {
    const splice = raw.splice
      ? { at: raw.splice[0], gone: raw.splice[1], items: raw.splice[2].map(this.item) }
      : null;
    return { id: raw.id, fields: this.fields(raw), splice };
  }
}

export const isObject = (ref: Ref): ref is ObjectRef => "id" in ref;

export function sameRef(one: Ref, other: Ref): boolean {
  if (isObject(one)) return isObject(other) && one.id === other.id && one.offset === other.offset;
  return !isObject(other) && one.text === other.text;
}
