import { html, type Markup } from './markup.js';
import { ticks, tickText } from './ticks.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** Single marks rather than a line: what is measured now and then. */
  readonly marks?: boolean;
}

export interface ChartOptions {
  readonly title: string;
  readonly xName: string;
  readonly yName: string;
  /** Draws the y axis from zero. */
  readonly fromZero?: boolean;
}

const WIDTH = 560;
const HEIGHT = 240;
const EDGE = { left: 56, right: 14, top: 14, bottom: 40 };
/** More points than pixels only make a page heavy. */
const MOST_POINTS = 400;

/** A line chart as inline SVG: axes with round ticks, a legend, and the value of each point when hovered over. */
export function lineChart(series: readonly Series[], options: ChartOptions): Markup {
  const drawn = series
    .map((one) => ({
      ...one,
      points: thin(one.points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))),
    }))
    .filter(({ points }) => points.length > 0);
  if (drawn.length === 0) return html``;
  const scale = scaleOf(
    drawn.flatMap(({ points }) => points),
    options.fromZero === true,
  );
  return html`<figure>
<figcaption>${options.title}${legend(drawn)}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${options.title}">
${axes(scale, options)}
${drawn.map((one, index) => draw(one, index, scale, options))}
</svg>
</figure>`;
}

interface Scale {
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
  x(value: number): number;
  y(value: number): number;
}

function scaleOf(points: readonly Point[], fromZero: boolean): Scale {
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const [xLow, xHigh] = widen(Math.min(...xs), Math.max(...xs), 0);
  const [yLow, yHigh] = widen(fromZero ? Math.min(0, ...ys) : Math.min(...ys), Math.max(...ys), 0.06);
  const low = fromZero && yLow > -1e-12 - (yHigh - yLow) * 0.06 - 1e-12 && Math.min(...ys) >= 0 ? 0 : yLow;
  const across = (value: number): number =>
    EDGE.left + ((value - xLow) / (xHigh - xLow)) * (WIDTH - EDGE.left - EDGE.right);
  const up = (value: number): number =>
    HEIGHT - EDGE.bottom - ((value - low) / (yHigh - low)) * (HEIGHT - EDGE.top - EDGE.bottom);
  return { xTicks: ticks(xLow, xHigh, 6), yTicks: ticks(low, yHigh, 5), x: across, y: up };
}

/** A range with some air, and never empty. */
function widen(low: number, high: number, share: number): readonly [number, number] {
  if (high > low) return [low - (high - low) * share, high + (high - low) * share];
  const air = Math.abs(low) * 0.1 || 1;
  return [low - air, high + air];
}

function axes(scale: Scale, { xName, yName }: ChartOptions): readonly Markup[] {
  const floor = HEIGHT - EDGE.bottom;
  const right = WIDTH - EDGE.right;
  return [
    ...scale.yTicks.map(
      (tick) =>
        html`<line class="grid" x1="${EDGE.left}" x2="${right}" y1="${px(scale.y(tick))}" y2="${px(scale.y(tick))}"/>
<text x="${EDGE.left - 6}" y="${px(scale.y(tick) + 3.5)}" text-anchor="end">${tickText(tick)}</text>
`,
    ),
    ...scale.xTicks.map(
      (tick) =>
        html`<text x="${px(scale.x(tick))}" y="${floor + 16}" text-anchor="middle">${tickText(tick)}</text>
`,
    ),
    html`<line class="axis" x1="${EDGE.left}" x2="${right}" y1="${floor}" y2="${floor}"/>
<text class="name" x="${(EDGE.left + right) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${xName}</text>
<text class="name" transform="translate(12 ${px((EDGE.top + floor) / 2)}) rotate(-90)" text-anchor="middle">${yName}</text>`,
  ];
}

function draw(series: Series, index: number, scale: Scale, options: ChartOptions): Markup {
  const at = series.points.map((point) => ({ ...point, px: px(scale.x(point.x)), py: px(scale.y(point.y)) }));
  const path = at.map(({ px: x, py: y }, step) => `${step === 0 ? 'M' : 'L'}${x} ${y}`).join('');
  const line =
    at.length > 1
      ? html`<path class="line s${index}${series.marks === true ? ' dashed' : ''}" d="${path}"/>`
      : html``;
  const kind = series.marks === true || at.length === 1 ? `mark s${index}` : 'hover';
  const dots = at.map(
    ({ x, y, px: cx, py: cy }) =>
      html`<circle class="${kind}" cx="${cx}" cy="${cy}" r="${series.marks === true ? 3.5 : 5}"><title>${series.name}: ${valueText(y)} (${options.xName} ${valueText(x)})</title></circle>`,
  );
  return html`${line}${dots}
`;
}

const legend = (series: readonly Series[]): Markup =>
  series.length < 2
    ? html``
    : html`<span class="legend">${series.map(({ name }, index) => html`<span class="key s${index}">${name}</span>`)}</span>`;

/** Every n-th point, with the last one. */
function thin(points: readonly Point[]): readonly Point[] {
  const every = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, index) => index % every === 0 || index === points.length - 1);
}

const px = (value: number): number => Math.round(value * 10) / 10;
const valueText = (value: number): string => String(Number(value.toPrecision(5)));
