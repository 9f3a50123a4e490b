/** What the charts of a page have in common: a frame, round values on the axes, and the names of these. */
import { html, type Markup } from './markup.js';
import { tickText } from './ticks.js';

/** Of the drawing, in its own units. */
export const WIDTH = 560;
export const EDGE = { left: 56, right: WIDTH - 14, bottom: 40 } as const;

export interface Figure {
  readonly title: string;
  /** Besides the title. */
  readonly legend?: Markup;
  readonly height: number;
  readonly xName: string;
}

/** `drawing` ends at `height - EDGE.bottom`; below it are the axis and its name. */
export const figure = (
  { title, legend, height, xName }: Figure,
  drawing: readonly Markup[],
): Markup => html`<figure>
<figcaption>${title}${legend}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">
${drawing}
<line class="axis" x1="${EDGE.left}" x2="${EDGE.right}" y1="${height - EDGE.bottom}" y2="${height - EDGE.bottom}"/>
<text class="name" x="${(EDGE.left + EDGE.right) / 2}" y="${height - 6}" text-anchor="middle">${xName}</text>
</svg>
</figure>`;

/** A line across at each value, with the value next to it. */
export const gridLines = (values: readonly number[], y: (value: number) => number): readonly Markup[] =>
  values.map(
    (value) =>
      html`<line class="grid" x1="${EDGE.left}" x2="${EDGE.right}" y1="${px(y(value))}" y2="${px(y(value))}"/>
<text x="${EDGE.left - 6}" y="${px(y(value) + 3.5)}" text-anchor="end">${tickText(value)}</text>
`,
  );

/** A text below the axis. */
export const labelBelow = (x: number, height: number, text: string): Markup =>
  html`<text x="${px(x)}" y="${height - EDGE.bottom + 16}" text-anchor="middle">${text}</text>
`;

export const px = (value: number): number => Math.round(value * 10) / 10;
