// The ways of arrows: along the gutters between columns and the gaps between rows,
// so that none runs over a box. Geometry only; arrows.tsx measures and draws.
//
//   slot ──┐ lane            lane: one for each target in a gutter; arrows that end at
//          │                       the same box share it
//          ├──▶ box          a box beside the gutter is entered at its side,
//          └───────┐ gap     any other from above, out of the gap over its row
//                  ▼

export interface Rect { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number }

export interface End {
  /** Where in the picture: the stack, or a column of the heap counted from 0. */
  readonly column: number;
  readonly rect: Rect;
}

export interface Link {
  readonly key: string;
  readonly from: End & { readonly y: number };
  readonly to: End & { readonly target: string };
  readonly style: string;
}

export interface Gutter { readonly left: number; readonly right: number }

export interface Route { readonly key: string; readonly style: string; readonly points: readonly (readonly [number, number])[] }

export const STACK = -1;

/** How far below a box's top an arrow enters at its left, and at its right. */
const ENTRY = 12;
const ENTRY_BACK = 22;

/** The way of each link; `gutters` maps a column to the gutter at its right. */
export function routes(links: readonly Link[], gutters: ReadonlyMap<number, Gutter>): Route[] {
  const lanes = assignLanes(links, gutters);
  const gaps = new Map<string, number>();
  return links.map((link) => {
    const { from, to } = link;
    const laneX = lanes.get(laneKey(link)) ?? from.rect.right + 8;
    const start = [from.rect.right, from.y] as const;
    const entryY = Math.min(to.rect.top + ENTRY, to.rect.bottom - 4);
    const backY = Math.min(to.rect.top + ENTRY_BACK, to.rect.bottom - 4);
    if (to.column === from.column) {
      return made(link, [start, [laneX, from.y], [laneX, backY], [to.rect.right, backY]]);
    }
    if (to.column === from.column + 1 && to.rect.left > laneX) {
      return made(link, [start, [laneX, from.y], [laneX, entryY], [to.rect.left, entryY]]);
    }
    const gap = to.rect.top - gapOffset(gaps, to.target, to.rect.top);
    if (to.column === STACK) {
      const stack = gutters.get(STACK);
      const x = stack ? stack.left + 6 : to.rect.right + 6;
      const own = from.rect.top - 8;
      return made(link, [start, [laneX, from.y], [laneX, own], [x, own], [x, backY], [to.rect.right, backY]]);
    }
    const x = to.rect.left + Math.min(22, (to.rect.right - to.rect.left) / 2);
    return made(link, [start, [laneX, from.y], [laneX, gap], [x, gap], [x, to.rect.top]]);
  });
}

function made({ key, style }: Link, points: Route["points"]): Route {
  return { key, style, points };
}

const laneKey = (link: Link): string => `${link.from.column}>${link.to.target}`;

/** Arrows that run in the same gap lie beside each other. */
function gapOffset(gaps: Map<string, number>, target: string, top: number): number {
  const key = `${Math.round(top)}:${target}`;
  const known = gaps.get(key);
  if (known !== undefined) return known;
  const others = [...gaps.keys()].filter((other) => other.startsWith(`${Math.round(top)}:`)).length;
  const offset = 8 + (others % 5) * 3.5;
  gaps.set(key, offset);
  return offset;
}

/** The lane of each target in each gutter, ordered so that few arrows cross. */
function assignLanes(links: readonly Link[], gutters: ReadonlyMap<number, Gutter>): Map<string, number> {
  const byGutter = new Map<number, Map<string, Link>>();
  for (const link of links) {
    const lanes = byGutter.get(link.from.column) ?? new Map<string, Link>();
    byGutter.set(link.from.column, lanes);
    if (!lanes.has(laneKey(link))) lanes.set(laneKey(link), link);
  }
  const assigned = new Map<string, number>();
  for (const [column, lanes] of byGutter) {
    const gutter = gutters.get(column);
    if (!gutter) continue;
    const isDown = (link: Link): boolean => link.to.rect.top + ENTRY >= link.from.y;
    const order = [...lanes.entries()].sort(([, one], [, other]) => {
      if (isDown(one) !== isDown(other)) return isDown(one) ? 1 : -1;
      const higher = one.to.rect.top - other.to.rect.top || one.from.y - other.from.y;
      return isDown(one) ? -higher : higher;
    });
    const room = gutter.right - gutter.left;
    const space = Math.min(9, room / (order.length + 1));
    order.forEach(([key], at) => assigned.set(key, gutter.left + (room - space * (order.length - 1)) / 2 + space * at));
  }
  return assigned;
}

/** The points as the `d` of an SVG path with rounded corners. */
export function path(points: Route["points"], radius: number): string {
  const [first, ...rest] = points.filter(
    (point, at) => at === 0 || point[0] !== points[at - 1]![0] || point[1] !== points[at - 1]![1]);
  let d = `M${first![0]} ${first![1]}`;
  rest.forEach(([x, y], at) => {
    const next = rest[at + 1];
    const before = at === 0 ? first! : rest[at - 1]!;
    if (!next) {
      d += `L${x} ${y}`;
      return;
    }
    const into = Math.hypot(x - before[0], y - before[1]);
    const out = Math.hypot(next[0] - x, next[1] - y);
    const r = Math.min(radius, into / 2, out / 2);
    const ax = x - ((x - before[0]) / into) * r;
    const ay = y - ((y - before[1]) / into) * r;
    const bx = x + ((next[0] - x) / out) * r;
    const by = y + ((next[1] - y) / out) * r;
    d += `L${ax} ${ay}Q${x} ${y} ${bx} ${by}`;
  });
  return d;
}
