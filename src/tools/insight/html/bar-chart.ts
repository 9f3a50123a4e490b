/** Upright bars next to each other, as inline SVG: a histogram. */
import { EDGE, figure, gridLines, labelBelow, px } from './figure.js';
import { html, type Markup, nothing } from './markup.js';
import { ticks } from './ticks.js';

interface Bar {
  readonly label: string;
  readonly value: number;
  /** Shown when hovered over. */
  readonly title: string;
}

const HEIGHT = 200;
const TOP = 10;
const FLOOR = HEIGHT - EDGE.bottom;
/** Labels under the bars at most: more would run into each other. */
const MOST_LABELS = 12;

export function barChart(bars: readonly Bar[], title: string, xName: string): Markup {
  const highest = Math.max(0, ...bars.map(({ value }) => value));
  if (highest === 0) return nothing;
  const slot = (EDGE.right - EDGE.left) / bars.length;
  const size = (value: number): number => px((value / highest) * (FLOOR - TOP));
  const every = Math.ceil(bars.length / MOST_LABELS);
  return figure({ title, height: HEIGHT, xName }, [
    ...gridLines(ticks(0, highest, 4), (value) => FLOOR - size(value)),
    ...bars.map(({ value, title: hover }, index) => {
      const x = px(EDGE.left + slot * (index + 0.1));
      return html`<rect class="bar" x="${x}" y="${FLOOR - size(value)}" width="${Math.max(1, px(slot * 0.8))}" height="${size(value)}"><title>${hover}</title></rect>`;
    }),
    ...bars.map(({ label }, index) =>
      index % every === 0 ? labelBelow(EDGE.left + slot * (index + 0.5), HEIGHT, label) : nothing,
    ),
  ]);
}
