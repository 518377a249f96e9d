// Signs of buttons, drawn: fonts do not all have them.

const SHAPES = {
  first: "M3 3h2v10H3zM13 3v10L6 8z",
  back: "M10.3 2.2 12 3.9 7.9 8 12 12.1l-1.7 1.7L4.5 8z",
  play: "M5 2.5v11L13 8z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  next: "M5.7 2.2 4 3.9 8.1 8 4 12.1l1.7 1.7L11.5 8z",
  last: "M11 3h2v10h-2zM3 3v10l7-5z",
  close: "M3.6 2.5 8 6.9l4.4-4.4 1.1 1.1L9.1 8l4.4 4.4-1.1 1.1L8 9.1l-4.4 4.4-1.1-1.1L6.9 8 2.5 3.6z",
  before: "M2 3h1.8v10H2zM9.5 3v3.9H14v2.2H9.5V13L5 8z",
  after: "M12.2 3H14v10h-1.8zM6.5 3v3.9H2v2.2h4.5V13L11 8z",
} as const;

export type Shape = keyof typeof SHAPES;

export const Icon = ({ shape }: { shape: Shape }) => (
  <svg class="icon" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path d={SHAPES[shape]} /></svg>
);
