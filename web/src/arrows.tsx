// The arrows over the picture: measures slots and boxes after a step was drawn, and
// draws the ways between them. A changed window draws them again.

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Picture, Slot } from "./picture";
import { path, routes, STACK } from "./routes";
import type { End, Gutter, Link, Rect } from "./routes";

const SVG = "http://www.w3.org/2000/svg";

interface Props {
  readonly picture: Picture;
  readonly selected: string | null;
  readonly hovered: string | null;
}

export function Arrows({ picture, selected, hovered }: Props) {
  const svg = useRef<SVGSVGElement>(null);
  const draw = useRef(() => {});
  draw.current = () => svg.current && redraw(svg.current, picture, hovered ?? selected);

  useLayoutEffect(() => draw.current());
  useEffect(() => {
    const observer = new ResizeObserver(() => draw.current());
    observer.observe(svg.current!.parentElement!);
    return () => observer.disconnect();
  }, []);

  return (
    <svg class="arrows" ref={svg} aria-hidden="true">
      <defs>
        {["plain", "new", "old", "held", "lit"].map((style) => (
          <marker key={style} id={`head-${style}`} viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7"
            markerUnits="userSpaceOnUse" orient="auto">
            <path class={`head ${style}`} d="M0.5 0.8 7.5 4 0.5 7.2 2 4z" />
          </marker>
        ))}
        <marker id="head-cross" viewBox="0 0 12 12" refX="6" refY="6" markerWidth="12" markerHeight="12"
          markerUnits="userSpaceOnUse">
          <path class="head cross" d="M1.5 1.5 10.5 10.5M10.5 1.5 1.5 10.5" />
        </marker>
      </defs>
      <g />
    </svg>
  );
}

function redraw(svg: SVGSVGElement, picture: Picture, lit: string | null): void {
  const scene = new Scene(svg.parentElement!);
  const links = linksOf(picture, scene);
  const drawn = routes(links, scene.gutters());
  const group = svg.querySelector("g")!;
  const known = new Map([...group.children].map((child) => [child.getAttribute("data-key"), child]));
  svg.setAttribute("width", String(scene.width));
  svg.setAttribute("height", String(scene.height));
  for (const route of drawn) {
    const isLit = lit !== null && links.some((link) => link.key === route.key && touches(link, lit));
    const style = isLit && route.style === "plain" ? "lit" : route.style;
    let line = known.get(route.key);
    if (!line) {
      line = document.createElementNS(SVG, "path");
      line.setAttribute("data-key", route.key);
      group.append(line);
    }
    known.delete(route.key);
    line.setAttribute("class", `arrow ${style}${isLit ? " lit" : lit === null ? "" : " dim"}`);
    line.setAttribute("marker-end", `url(#head-${style})`);
    line.setAttribute("d", path(route.points, 6));
  }
  for (const gone of known.values()) gone.remove();
}

const touches = (link: Link, lit: string): boolean =>
  link.to.target === lit || link.key === lit || link.key.startsWith(`${lit.replace("b", "o")}.`);

/** Where the boxes and slots are, in the picture's own coordinates. */
class Scene {
  readonly width: number;
  readonly height: number;
  private readonly origin: DOMRect;
  private readonly boxes = new Map<string, End>();
  private readonly slots = new Map<string, Rect>();
  private readonly columns: Rect[] = [];
  private readonly stack: Rect | null;

  constructor(private readonly root: HTMLElement) {
    this.origin = root.getBoundingClientRect();
    this.width = root.scrollWidth;
    this.height = root.scrollHeight;
    const stack = root.querySelector(".stack");
    this.stack = stack ? this.rect(stack) : null;
    for (const element of root.querySelectorAll<HTMLElement>("[data-box]")) {
      const rect = this.rect(element);
      const column = element.closest(".stack") ? STACK : this.column(rect);
      this.boxes.set(element.dataset.box!, { column, rect });
    }
    for (const element of root.querySelectorAll<HTMLElement>("[data-slot]")) {
      this.slots.set(element.dataset.slot!, this.rect(element.querySelector(".dot") ?? element));
    }
  }

  end(key: string): End | undefined {
    return this.boxes.get(key);
  }

  slot(key: string): Rect | undefined {
    return this.slots.get(key);
  }

  /** The space at the right of the stack and of each column. */
  gutters(): Map<number, Gutter> {
    const gutters = new Map<number, Gutter>();
    const columns = this.columns;
    if (this.stack) {
      const first = columns[0];
      const isBeside = first && first.left > this.stack.right;
      gutters.set(STACK, { left: this.stack.right, right: isBeside ? first.left - 6 : Math.min(this.stack.right + 40, this.width - 4) });
    }
    columns.forEach((column, at) => {
      const next = columns[at + 1];
      gutters.set(at, { left: column.right, right: next ? next.left - 6 : column.right + 26 });
    });
    return gutters;
  }

  private column(rect: Rect): number {
    const known = this.columns.findIndex((column) => Math.abs(column.left - rect.left) < 4);
    if (known >= 0) return known;
    this.columns.push(rect);
    return this.columns.length - 1;
  }

  private rect(element: Element): Rect {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    const x = this.root.scrollLeft - this.origin.left;
    const y = this.root.scrollTop - this.origin.top;
    return { left: left + x, top: top + y, right: right + x, bottom: bottom + y };
  }
}

function linksOf(picture: Picture, scene: Scene): Link[] {
  const links: Link[] = [];
  const add = (slot: Slot, owner: End, target: number, style: string, suffix = ""): void => {
    const to = scene.end(`b${target}`);
    const from = scene.slot(slot.key);
    if (!to || !from) return;
    links.push({
      key: slot.key + suffix,
      from: { column: owner.column, rect: owner.rect, y: (from.top + from.bottom) / 2 },
      to: { ...to, target: `b${target}` },
      style,
    });
  };
  const slots = (all: readonly Slot[], owner: End | undefined, plain: string): void => {
    if (!owner) return;
    for (const slot of all) {
      if (slot.oldTarget !== null) add(slot, owner, slot.oldTarget, "old", " old");
      if (slot.target === null) continue;
      add(slot, owner, slot.target, slot.dangles ? "cross" : slot.changed ? "new" : plain);
    }
  };
  const frames = picture.frames.map((frame) => ({ key: `f${frame.frame.id}`, names: frame.names }));
  if (picture.value) frames.push({ key: "fvalue", names: [picture.value] });
  for (const frame of frames) {
    const owner = scene.end(frame.key);
    for (const slot of frame.names) {
      if (!slot.embedded) slots([slot], owner, slot.name.kind === "held" ? "held" : "plain");
      else slots(slot.embedded.slots, owner, "plain");
    }
  }
  for (const box of [...picture.boxes, ...picture.shelf]) {
    slots(box.slots, scene.end(`b${box.object.id}`), "plain");
  }
  return links;
}
