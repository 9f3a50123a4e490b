/** Memory over rank, length or rows as an SVG file: a bar of parts for each value, and a line where the memory ends. */

import { html, type Markup } from '../../../language/source/markup.js';
import { ticks, tickText } from '../../../language/source/ticks.js';
import { MEMORY_PARTS, type MemoryPart, type PeakFigures } from '../../../pipeline/planner/plan-json.js';
import { bytes } from '../../../pipeline/planner/quantities.js';
import type { PlanSweep, StageSweep, Swept } from '../../../pipeline/prepare/sweep.js';
import {
  recomputedText,
  recomputesSomething,
  type TrainPlan,
} from '../../../pipeline/stages/train-plan/plan.js';

const COLOURS: Readonly<Record<MemoryPart, string>> = {
  weights: '#4e79a7',
  adapter: '#59a14f',
  gradients: '#f28e2b',
  optimizer: '#e15759',
  activations: '#76b7b2',
  logits: '#edc948',
  workspace: '#b07aa1',
  runtime: '#bab0ac',
};

const GIB = 2 ** 30;
/** Of the drawing, in its own units. */
const [WIDTH, HEIGHT] = [720, 300];
const EDGE = { left: 64, right: WIDTH - 130, top: 46, bottom: HEIGHT - 46 } as const;

const AXIS: Readonly<Record<Swept, string>> = {
  rank: 'rank',
  length: 'tokens of a row',
  batch: 'rows at a time',
};

/** `lora, fsdp, 1 × 16 rows, rows up to 1024 tokens`: what the points have in common. */
export const sharedText = ({ over, chosen }: StageSweep): string => choiceText(chosen, over);

/** The same of one choice, all of it but what is swept. */
export function choiceText(chosen: TrainPlan, over?: Swept): string {
  const { method, sharding, microBatch, accumulation, maxLength, rank } = chosen;
  return [
    method,
    ...(sharding === undefined ? [] : [sharding]),
    ...(over === 'rank' || rank === 0 ? [] : [`rank ${rank}`]),
    ...(over === 'batch' ? [] : [`${microBatch} × ${accumulation} rows`]),
    over === 'length' ? 'rows all as long' : `rows up to ${maxLength} tokens`,
    ...(recomputesSomething(chosen) ? [`${recomputedText(chosen)} recomputed`] : []),
  ].join(', ');
}

export const memorySvg = ({ pipeline, machine, sweeps }: PlanSweep): string =>
  `${html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT * sweeps.length}" width="${WIDTH}" height="${HEIGHT * sweeps.length}" font-family="system-ui, sans-serif" font-size="12" fill="#222" role="img" aria-label="Memory of ${pipeline} on ${machine.name}">
<rect width="100%" height="100%" fill="#fff"/>
${sweeps.map(
  (sweep, index) => html`<g transform="translate(0 ${HEIGHT * index})">${chart(sweep, machine.name)}</g>
`,
)}</svg>`}\n`;

const px = (value: number): number => Math.round(value * 10) / 10;

function chart(sweep: StageSweep, machine: string): readonly Markup[] {
  const { stage, over, availableBytes, points } = sweep;
  const figures = points.map(({ peak }) => peak.device ?? peak);
  const most = Math.max(availableBytes, ...figures.map(({ high }) => high)) * 1.04;
  const y = (size: number): number => EDGE.bottom - (size / most) * (EDGE.bottom - EDGE.top);
  const step = (EDGE.right - EDGE.left) / Math.max(1, points.length);
  const used = MEMORY_PARTS.filter((part) => figures.some(({ parts }) => parts[part] > 0));
  return [
    html`<text x="16" y="18" font-size="14" font-weight="600">Memory of ${stage} by ${over} on ${machine}</text>
<text x="16" y="34" fill="#555">${sharedText(sweep)}</text>
`,
    ...ticks(0, most / GIB, 5).map(
      (
        tick,
      ) => html`<line x1="${EDGE.left}" x2="${EDGE.right}" y1="${px(y(tick * GIB))}" y2="${px(y(tick * GIB))}" stroke="#e4e4e4"/>
<text x="${EDGE.left - 6}" y="${px(y(tick * GIB) + 4)}" text-anchor="end">${tickText(tick)}</text>
`,
    ),
    html`<text transform="translate(16 ${(EDGE.top + EDGE.bottom) / 2}) rotate(-90)" text-anchor="middle">GiB</text>
`,
    ...figures.map((peak, index) =>
      bar(peak, { x: EDGE.left + step * (index + 0.5), width: Math.min(56, step * 0.64), y }),
    ),
    ...points.map(
      (
        { value, fits, otherwise },
        index,
      ) => html`<text x="${px(EDGE.left + step * (index + 0.5))}" y="${EDGE.bottom + 16}" text-anchor="middle"${fits ? html`` : html` fill="#c0392b" font-weight="600"`}>${value}${fits ? '' : otherwise === null ? ' ✗' : ' ~'}</text>
`,
    ),
    html`<line x1="${EDGE.left}" x2="${EDGE.right}" y1="${EDGE.bottom}" y2="${EDGE.bottom}" stroke="#333"/>
<line x1="${EDGE.left}" x2="${EDGE.right}" y1="${px(y(availableBytes))}" y2="${px(y(availableBytes))}" stroke="#c0392b" stroke-dasharray="6 4"/>
<line x1="${EDGE.right + 8}" x2="${EDGE.right + 20}" y1="${EDGE.top + 26}" y2="${EDGE.top + 26}" stroke="#c0392b" stroke-dasharray="5 3"/>
<text x="${EDGE.right + 25}" y="${EDGE.top + 30}" fill="#c0392b">${bytes(availableBytes)} there</text>
<text x="${(EDGE.left + EDGE.right) / 2}" y="${EDGE.bottom + 34}" text-anchor="middle">${AXIS[over]}</text>
`,
    ...used.toReversed().map(
      (
        part,
        index,
      ) => html`<rect x="${EDGE.right + 8}" y="${EDGE.top + 40 + 18 * index}" width="11" height="11" fill="${COLOURS[part]}"/>
<text x="${EDGE.right + 25}" y="${EDGE.top + 50 + 18 * index}">${part}</text>
`,
    ),
  ];
}

/** The parts on top of each other, and a whisker over the interval. */
function bar(
  { parts, bytes: sum, low, high }: PeakFigures,
  { x, width, y }: { readonly x: number; readonly width: number; y(size: number): number },
): Markup {
  let below = 0;
  const pieces = MEMORY_PARTS.filter((part) => parts[part] > 0).map((part) => {
    const from = below;
    below += parts[part];
    return html`<rect x="${px(x - width / 2)}" y="${px(y(below))}" width="${px(width)}" height="${px(y(from) - y(below))}" fill="${COLOURS[part]}"><title>${part}: ${bytes(parts[part])}</title></rect>
`;
  });
  return html`${pieces}<path d="M${px(x)} ${px(y(low))}V${px(y(high))}M${px(x - 5)} ${px(y(low))}h10M${px(x - 5)} ${px(y(high))}h10" stroke="#222" fill="none"><title>${bytes(sum)}, ${bytes(low)} to ${bytes(high)}</title></path>
`;
}
