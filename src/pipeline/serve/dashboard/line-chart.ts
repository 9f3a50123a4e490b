/** Lines over the last minutes, as inline SVG. */
import { html, type Markup } from '../../../language/source/markup.js';
import { ticks, tickText } from '../../../language/source/ticks.js';

interface ChartLine {
  readonly label: string;
  /** One per cell, oldest first; null where there is none. */
  readonly values: readonly (number | null)[];
}

interface ChartOptions {
  readonly title: string;
  readonly unit: string;
  /** Of all charts that are compared: the top of the axis. */
  readonly most: number;
  /** Minutes that the chart spans. */
  readonly minutes: number;
}

const WIDTH = 360;
const HEIGHT = 132;
const EDGE = { left: 44, right: WIDTH - 8, top: 8, bottom: HEIGHT - 20 } as const;

const px = (value: number): number => Math.round(value * 10) / 10;

/** The dashes of each line tell them apart without colours. */
export function lineChart(lines: readonly ChartLine[], options: ChartOptions): Markup {
  const { title, unit, most, minutes } = options;
  const top = most > 0 ? most : 1;
  const y = (value: number): number => EDGE.bottom - (value / top) * (EDGE.bottom - EDGE.top);
  const grid = ticks(0, top, 3);
  return html`<figure>
<figcaption>${title}${unit === '' ? '' : `, ${unit}`}${legend(lines)}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${inWords(lines, options)}">
${grid.map(
  (tick) =>
    html`<line class="grid" x1="${EDGE.left}" x2="${EDGE.right}" y1="${px(y(tick))}" y2="${px(y(tick))}"/><text x="${EDGE.left - 6}" y="${px(y(tick) + 3.5)}" text-anchor="end">${tickText(tick)}</text>
`,
)}
${lines.map(({ values }, index) => html`<path class="line s${index}" d="${pathOf(values, y)}"/>`)}
<text x="${EDGE.left}" y="${HEIGHT - 5}">${minutes} min ago</text><text x="${EDGE.right}" y="${HEIGHT - 5}" text-anchor="end">now</text>
</svg>
</figure>
`;
}

const legend = (lines: readonly ChartLine[]): Markup =>
  lines.length < 2
    ? html``
    : html`<span class="legend">${lines.map(({ label }, index) => html`<span class="key s${index}">${label}</span>`)}</span>`;

/** A gap where there is no value; a value between two gaps is a dot. */
function pathOf(values: readonly (number | null)[], y: (value: number) => number): string {
  const x = (index: number): number =>
    EDGE.left + (index / Math.max(1, values.length - 1)) * (EDGE.right - EDGE.left);
  return values
    .map((value, index) => {
      if (value === null) return '';
      const isAfterGap = index === 0 || values[index - 1] === null;
      const isDot = isAfterGap && (values[index + 1] ?? null) === null;
      const place = `${px(x(index))} ${px(y(value))}`;
      return isDot ? `M${place}h0.1` : `${isAfterGap ? 'M' : 'L'}${place}`;
    })
    .join('');
}

/** The picture for those who do not see it. */
function inWords(lines: readonly ChartLine[], { title, unit, minutes }: ChartOptions): string {
  const each = lines.map(({ label, values }) => {
    const known = values.filter((value) => value !== null);
    const name = lines.length < 2 ? '' : `${label} `;
    return known.length === 0
      ? `${name}nothing`
      : `${name}from ${tickText(Math.min(...known))} to ${tickText(Math.max(...known))}, ${tickText(known.at(-1) ?? 0)} at last`;
  });
  return `${title}${unit === '' ? '' : ` in ${unit}`} over ${minutes} minutes: ${each.join('; ')}`;
}
