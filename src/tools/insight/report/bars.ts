import { html, type Markup } from './markup.js';
import { ticks, tickText } from './ticks.js';

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Shown when hovered over. */
  readonly title: string;
}

const WIDTH = 560;
const HEIGHT = 200;
const EDGE = { left: 56, right: 14, top: 10, bottom: 40 };
/** Labels under the bars at most: more would run into each other. */
const MOST_LABELS = 12;

/** Upright bars side by side, as inline SVG: a histogram. */
export function barChart(bars: readonly Bar[], title: string, xName: string): Markup {
  const highest = Math.max(0, ...bars.map(({ value }) => value));
  if (highest === 0) return html``;
  const floor = HEIGHT - EDGE.bottom;
  const slot = (WIDTH - EDGE.left - EDGE.right) / bars.length;
  const up = (value: number): number => Math.round((value / highest) * (floor - EDGE.top) * 10) / 10;
  const every = Math.ceil(bars.length / MOST_LABELS);
  return html`<figure>
<figcaption>${title}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
${ticks(0, highest, 4).map(
  (
    tick,
  ) => html`<line class="grid" x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${floor - up(tick)}" y2="${floor - up(tick)}"/>
<text x="${EDGE.left - 6}" y="${floor - up(tick) + 3.5}" text-anchor="end">${tickText(tick)}</text>
`,
)}
${bars.map(({ value, title: hover }, index) => {
  const x = Math.round((EDGE.left + slot * index + slot * 0.1) * 10) / 10;
  return html`<rect class="bar" x="${x}" y="${floor - up(value)}" width="${Math.max(1, Math.round(slot * 8) / 10)}" height="${up(value)}"><title>${hover}</title></rect>`;
})}
${bars.map(({ label }, index) =>
  index % every === 0
    ? html`<text x="${Math.round((EDGE.left + slot * (index + 0.5)) * 10) / 10}" y="${floor + 16}" text-anchor="middle">${label}</text>`
    : html``,
)}
<line class="axis" x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${floor}" y2="${floor}"/>
<text class="name" x="${WIDTH / 2}" y="${HEIGHT - 6}" text-anchor="middle">${xName}</text>
</svg>
</figure>`;
}
