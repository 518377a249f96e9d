//! A trace as the page reads it: what each step changed, in few bytes.
//!
//! The page takes this as JSON (gzip'd, in base64, inside the HTML file) and keeps
//! keyframes of its own. Texts that repeat stand once in `texts` and are named by their
//! index. Field names are short since there are many.
//!
//! ```text
//! Data   { schema_version: 1, language: "python"|"c", made_by, ending, truncated: str|null, notes: [str],
//!          sources: [{path, text}], texts: [str], steps: [Step], lives: {ID: [Life]} }
//! Step   { e: "call"|"line"|"return"|"exception"|"end", y?: true (pauses), t: thread, f: source, l: line,
//!          say: str, out?: str, err?: str, v?: Ref (returned or raised),
//!          stack?: [Frame]   (left out: as in the step before),
//!          born?: [Object], changed?: [Change], died?: [ID], left?: [ID], temp?: [[type text|null, count, bytes]] }
//! Frame  { id, n: function text, f: source, l: line, k: "function"|"module"|"class"|"generator",
//!          names: [[name text, kind, Ref, place?]] }     kind: "l"ocal "g"lobal "c"ell "h"eld
//! Place  [address hex, type text, bytes, uninitialised 0|1]
//! Ref    ID | [ID, offset] | {v: text}
//! Object { id, a: address hex, t: type text, k: kind, s: standing, b: bytes, r: count|null, i?: true (immortal),
//!          v?: value, items?: [[label text, Ref]], more?: hidden items, at?: [source, line] }
//!          kind: "value" "sequence" "mapping" "set" "fields" "class" "function" "iterator" "closed"
//!          standing: "reached" "unreached" "freed" "stack" "static"
//! Change { id, any of a, t, k, s, b, r, i, v, more, at that differ,
//!          splice?: [at, how many go, [[label text, Ref]]] (replaces a part of items) }
//! Life   [step, what, text]   what: "born" "died" "left" "+" (a reference gained; the text says whose) "-" (lost)
//!                             "count" (the count changed; the text is "2→3") "value" (the value changed)
//! ```
