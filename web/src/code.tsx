// The program's text with the line that ran and the line that runs next.

import { useLayoutEffect, useRef } from "preact/hooks";
import type { Trace } from "./data";
import { Pure } from "./pure";

export function Code({ trace, index, pick }: { trace: Trace; index: number; pick: (source: number, line: number) => void }) {
  const step = trace.steps[index]!;
  const last = trace.steps[index - 1];
  const source = step.source;
  const pane = useRef<HTMLDivElement>(null);
  const isEnd = step.event === "end";
  const next = isEnd ? 0 : step.line;
  const ran = last && last.source === source ? last.line : 0;

  useLayoutEffect(() => {
    const root = pane.current!;
    mark(root, "ran", ran === next ? 0 : ran);
    const line = mark(root, "next", next) ?? root.querySelector<HTMLElement>(".ran");
    if (!line) return;
    const top = line.offsetTop - root.offsetTop;
    const isSeen = top >= root.scrollTop + 20 && top + 40 <= root.scrollTop + root.clientHeight;
    if (!isSeen) root.scrollTop = top - root.clientHeight / 2;
  });

  const text = trace.sources[source]?.text ?? "";
  return (
    <div class="code" ref={pane} tabIndex={0} role="region" aria-label="The program">
      <Lines key={source} text={text} source={source} pick={pick} />
    </div>
  );
}

/** Moves a mark; there is one of each. */
function mark(root: HTMLElement, name: string, line: number): HTMLElement | null {
  root.querySelector(`.${name}`)?.classList.remove(name);
  const element = line > 0 ? root.querySelector<HTMLElement>(`[data-line="${line}"]`) : null;
  element?.classList.add(name);
  return element;
}

interface LinesProps { readonly text: string; readonly source: number; readonly pick: (source: number, line: number) => void }

class Lines extends Pure<LinesProps> {
  render({ text, source, pick }: LinesProps) {
    if (text === "") return <p class="empty">The text of this file could not be read.</p>;
    return (
      <ol>
        {text.replace(/\n$/, "").split("\n").map((line, at) => (
          <li key={at} data-line={at + 1} onDblClick={() => pick(source, at + 1)}><span class="mark" aria-hidden="true" /><code>{line || " "}</code></li>
        ))}
      </ol>
    );
  }
}
