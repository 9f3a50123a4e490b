/** A line chart as inline SVG: axes with round ticks, a legend, and the value of each point when hovered over. */
import { drawable, type Point, rangeOf, type Series } from '../series.js';
import { EDGE, figure, gridLines, labelBelow, px } from './figure.js';
import { html, type Markup, nothing } from './markup.js';
import { ticks, tickText } from './ticks.js';

export interface Line extends Series {
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

export function lineChart(lines: readonly Line[], options: ChartOptions): Markup {
  const drawn = drawable(lines).map((line) => ({ ...line, points: thin(line.points) }));
  if (drawn.length === 0) return nothing;
  const scale = scaleOf(
    drawn.flatMap(({ points }) => points),
    options.fromZero === true,
  );
  return figure({ ...options, legend: legend(drawn), height: HEIGHT }, [
    ...gridLines(scale.yTicks, scale.y),
    ...scale.xTicks.map((tick) => labelBelow(scale.x(tick), HEIGHT, tickText(tick))),
    html`<text class="name" transform="translate(12 ${px((TOP + FLOOR) / 2)}) rotate(-90)" text-anchor="middle">${options.yName}</text>
`,
    ...drawn.map((line, index) => draw(line, index, scale, options)),
  ]);
}

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
