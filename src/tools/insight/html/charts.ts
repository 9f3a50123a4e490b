/** Charts of a page as inline SVG: a frame, round values on the axes, and the names of these. */

import { html, type Markup, nothing } from '../../../language/source/markup.js';
import { ticks, tickText } from '../../../language/source/ticks.js';
import { drawable, type Point, rangeOf, type Series } from '../series.js';

/** Of the drawing, in its own units. */
const WIDTH = 560;
const EDGE = { left: 76, right: WIDTH - 18, bottom: 48 } as const;

interface Figure {
  readonly title: string;
  /** Besides the title. */
  readonly legend?: Markup;
  readonly height: number;
  /** Where the y axis begins. */
  readonly top: number;
  /** Of the axes, with their units. */
  readonly xName: string;
  readonly yName: string;
  /** The picture in words, for those who do not see it. */
  readonly what: string;
}

/** `drawing` ends at `height - EDGE.bottom`; below it are the axis and its name. */
const figure = (
  { title, legend, height, top, xName, yName, what }: Figure,
  drawing: readonly Markup[],
): Markup => html`<figure class="chart">
<figcaption>${title}${legend}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}: ${what}">
<text class="name" transform="translate(16 ${px((top + height - EDGE.bottom) / 2)}) rotate(-90)" text-anchor="middle">${yName}</text>
${drawing}
<line class="axis" x1="${EDGE.left}" x2="${EDGE.right}" y1="${height - EDGE.bottom}" y2="${height - EDGE.bottom}"/>
<text class="name" x="${(EDGE.left + EDGE.right) / 2}" y="${height - 6}" text-anchor="middle">${xName}</text>
</svg>
</figure>`;

/** A line across at each value, with the value next to it. */
const gridLines = (values: readonly number[], y: (value: number) => number): readonly Markup[] =>
  values.map(
    (value) =>
      html`<line class="grid" x1="${EDGE.left}" x2="${EDGE.right}" y1="${px(y(value))}" y2="${px(y(value))}"/>
<text x="${EDGE.left - 6}" y="${px(y(value) + 3.5)}" text-anchor="end">${tickText(value)}</text>
`,
  );

/** A text below the axis. */
const labelBelow = (x: number, height: number, text: string): Markup =>
  html`<text x="${px(x)}" y="${height - EDGE.bottom + 18}" text-anchor="middle">${text}</text>
`;

const px = (value: number): number => Math.round(value * 10) / 10;

interface Line extends Series {
  /** Single marks rather than a line: what is measured now and then. */
  readonly marks?: boolean;
}

interface ChartOptions {
  readonly title: string;
  readonly xName: string;
  readonly yName: string;
  /** Draws the y axis from zero. */
  readonly fromZero?: boolean;
}

const HEIGHT = 240;
const TOP = 14;
const FLOOR = HEIGHT - EDGE.bottom;
/** More points than pixels only make a page heavy. */
const MOST_POINTS = 400;

/** Axes with round ticks, a legend, and the value of each point when hovered over. */
export function lineChart(lines: readonly Line[], options: ChartOptions): Markup {
  const drawn = drawable(lines).map((line) => ({ ...line, points: thin(line.points) }));
  if (drawn.length === 0) return nothing;
  const scale = scaleOf(
    drawn.flatMap(({ points }) => points),
    options.fromZero === true,
  );
  const shape = { legend: legend(drawn), height: HEIGHT, top: TOP, what: inWords(drawn, options) };
  return figure({ ...options, ...shape }, [
    ...gridLines(scale.yTicks, scale.y),
    ...scale.xTicks.map((tick) => labelBelow(scale.x(tick), HEIGHT, tickText(tick))),
    ...drawn.map((line, index) => draw(line, index, scale, options)),
  ]);
}

/** `training from 7.4 to 2.1, steps 1 to 46` */
const inWords = (lines: readonly Line[], { xName }: ChartOptions): string =>
  lines
    .map(({ name, points }) => {
      const [first, last] = [points[0], points.at(-1)];
      if (first === undefined || last === undefined) return name;
      return first === last
        ? `${name} ${valueText(first.y)} at ${xName} ${valueText(first.x)}`
        : `${name} from ${valueText(first.y)} at ${xName} ${valueText(first.x)} to ${valueText(last.y)} at ${valueText(last.x)}`;
    })
    .join('; ');

interface Scale {
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
  x(value: number): number;
  y(value: number): number;
}

function scaleOf(points: readonly Point[], fromZero: boolean): Scale {
  const ys = points.map(({ y }) => y);
  const across = rangeOf(points.map(({ x }) => x));
  const up = rangeOf(fromZero ? [0, ...ys] : ys, 0.06);
  const low = fromZero && ys.every((y) => y >= 0) ? 0 : up.low;
  return {
    xTicks: ticks(across.low, across.high, 6),
    yTicks: ticks(low, up.high, 5),
    x: (value) => EDGE.left + ((value - across.low) / (across.high - across.low)) * (EDGE.right - EDGE.left),
    y: (value) => FLOOR - ((value - low) / (up.high - low)) * (FLOOR - TOP),
  };
}

function draw(line: Line, index: number, scale: Scale, options: ChartOptions): Markup {
  const at = line.points.map((point) => ({ ...point, px: px(scale.x(point.x)), py: px(scale.y(point.y)) }));
  const path = at.map(({ px: x, py: y }, step) => `${step === 0 ? 'M' : 'L'}${x} ${y}`).join('');
  const kind = line.marks === true || at.length === 1 ? `mark s${index}` : 'hover';
  return html`${
    at.length > 1
      ? html`<path class="line s${index}${line.marks === true ? ' dashed' : ''}" d="${path}"/>`
      : nothing
  }${at.map(
    ({ x, y, px: cx, py: cy }) =>
      html`<circle class="${kind}" cx="${cx}" cy="${cy}" r="${line.marks === true ? 3.5 : 5}"><title>${line.name}: ${valueText(y)} (${options.xName} ${valueText(x)})</title></circle>`,
  )}
`;
}

const legend = (series: readonly Series[]): Markup =>
  series.length < 2
    ? nothing
    : html`<span class="legend">${series.map(({ name }, index) => html`<span class="key s${index}">${name}</span>`)}</span>`;

/** Every n-th point, with the last one. */
function thin(points: readonly Point[]): readonly Point[] {
  const every = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, index) => index % every === 0 || index === points.length - 1);
}

const valueText = (value: number): string => String(Number(value.toPrecision(5)));

interface Bar {
  readonly label: string;
  readonly value: number;
  /** Shown when hovered over. */
  readonly title: string;
}

const BARS_HEIGHT = 200;
const BARS_TOP = 10;
const BARS_FLOOR = BARS_HEIGHT - EDGE.bottom;
/** Labels under the bars at most: more would run into each other. */
const MOST_LABELS = 12;

/** Upright bars next to each other: a histogram. */
export function barChart(
  bars: readonly Bar[],
  options: Pick<Figure, 'title' | 'xName' | 'yName' | 'what'>,
): Markup {
  const highest = Math.max(0, ...bars.map(({ value }) => value));
  if (highest === 0) return nothing;
  const slot = (EDGE.right - EDGE.left) / bars.length;
  const size = (value: number): number => px((value / highest) * (BARS_FLOOR - BARS_TOP));
  const every = Math.ceil(bars.length / MOST_LABELS);
  return figure({ ...options, height: BARS_HEIGHT, top: BARS_TOP }, [
    ...gridLines(ticks(0, highest, 4), (value) => BARS_FLOOR - size(value)),
    ...bars.map(({ value, title: hover }, index) => {
      const x = px(EDGE.left + slot * (index + 0.1));
      return html`<rect class="bar" x="${x}" y="${BARS_FLOOR - size(value)}" width="${Math.max(1, px(slot * 0.8))}" height="${size(value)}"><title>${hover}</title></rect>`;
    }),
    ...bars.map(({ label }, index) =>
      index % every === 0 ? labelBelow(EDGE.left + slot * (index + 0.5), BARS_HEIGHT, label) : nothing,
    ),
  ]);
}
