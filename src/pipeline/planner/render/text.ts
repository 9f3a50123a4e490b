/** A plan for a terminal. */
import type { StageAction } from '../../../language/ir/events.js';
import { coverageCells } from '../../stages/train/coverage.js';
import { planCells } from '../../stages/train-plan/fields.js';
import { PLAN_COLUMNS } from '../../stages/train-plan/freedom.js';
import { plannedText } from '../budget.js';
import { limitText } from '../limits.js';
import {
  MEMORY_PARTS,
  type PeakFigures,
  type Plan,
  type PlanCost,
  type PlannedDevice,
  type PlannedStage,
  type Seconds,
  type StageLimits,
} from '../plan-json.js';
import { bytes, count, duration, numberText, trainedText, usd, workText } from '../quantities.js';
import { reasonsText } from '../reasons.js';
import { allocationLines } from './allocation.js';
import { columns, type Palette } from './columns.js';
import { presetTable } from './presets.js';
import { publicationTable } from './publications.js';
import { searchLines } from './search.js';
import { widthOf, wrapped } from './wrapped.js';

const UNKNOWN = 'known after run';
const MARKS: Readonly<Record<StageAction, string>> = { run: '+', resume: '~', cached: '=' };

/** `width`: columns of the terminal; left out if lines may be as long as they are. */
export function renderPlanText(plan: Plan, palette: Palette, width?: number): string {
  const trains = shownInFull(plan);
  const sections = [
    wrapped(heading(plan, palette), width ?? Number.POSITIVE_INFINITY),
    stageTable(plan, palette, width),
    ...trains.flatMap((stage) => [
      memoryTables(stage, plan, palette, width),
      choiceTable(stage, palette, width),
      trainedTable(stage, palette, width),
    ]),
    publicationTable(plan, palette, width),
    presetTable(plan, palette, width),
    budgetTable(plan, palette, width),
    searchLines(plan.search, palette, width),
    wrapped(conclusion(plan, palette), width ?? Number.POSITIVE_INFINITY),
    wrapped(atOnceText(plan), width ?? Number.POSITIVE_INFINITY),
  ];
  return sections
    .filter((lines) => lines.length > 0 && lines.some((line) => line !== ''))
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

/** Trainings that are still to be done; of the trials of a search, the one that needs most memory. */
function shownInFull({ stages, search }: Plan): readonly PlannedStage[] {
  const trains = stages.filter(
    ({ kind, action, peak }) => kind === 'train' && action !== 'cached' && peak !== null,
  );
  if (search === undefined) return trains;
  const most = new Map<string, PlannedStage>();
  for (const stage of trains) {
    const of = stage.instance?.of ?? stage.name;
    const known = most.get(of);
    if (known === undefined || (stage.peak?.bytes ?? 0) > (known.peak?.bytes ?? 0)) most.set(of, stage);
  }
  return [...most.values()];
}

function heading({ pipeline, machine, runtime, device, ranks }: Plan, { bold, dim }: Palette): string {
  const devices = machine.devices.map(({ name }) => name);
  const { nodes = 1 } = ranks ?? {};
  const each = nodes === 1 ? '' : ` on each of ${nodes} nodes`;
  const on =
    devices.length === 0 ? machine.name : `${machine.name} (${devices.length} × ${devices[0]}${each})`;
  const memory = `${bytes(machine.memoryBytes)}, ${bytes(machine.availableBytes)} to plan with`;
  return `${bold(`Plan of ${pipeline}`)} ${dim(`on ${on}: ${memory}; ${runtime}${deviceText(device)}`)}`;
}

function deviceText(device: PlannedDevice | undefined): string {
  if (device === undefined) return '';
  const { name, memoryBytes, availableBytes } = device;
  const whole = memoryBytes === availableBytes ? '' : `${bytes(memoryBytes)}, `;
  return ` on ${name}: ${whole}${bytes(availableBytes)} to plan with`;
}

const TITLES = ['action', 'stage', 'works on', 'peak memory', 'time', 'why'] as const;

/** One line per stage; where that is wider than the terminal, one of what runs and why, and one of figures. */
function stageTable(plan: Plan, palette: Palette, width = Number.POSITIVE_INFINITY): readonly string[] {
  const { dim, bold } = palette;
  const colour: Readonly<Record<StageAction, (text: string) => string>> = {
    run: palette.green,
    resume: palette.yellow,
    cached: dim,
  };
  const rows = plan.stages.map((stage) => ({
    action: colour[stage.action](`${MARKS[stage.action]} ${stage.action}`),
    stage: `${dim(stage.kind)} ${bold(stage.name)}`,
    work: workText(stage.scale),
    peak: peakText(stage, plan),
    time: stage.action === 'cached' ? '' : secondsText(stage.seconds),
    why: dim(reasonsText(stage.reasons)),
  }));
  const table = columns([
    TITLES.map(dim),
    ...rows.map(({ action, stage, work, peak, time, why }) => [action, stage, work, peak, time, why]),
  ]);
  if (table.every((line) => widthOf(line) <= width)) return table;
  return columns(
    rows.flatMap(({ action, stage, work, peak, time, why }) => [
      [action, widthOf(why) === 0 ? stage : `${stage}: ${why}`],
      ['', [work, peak === UNKNOWN ? '' : `peak ${peak}`, time].filter((text) => text !== '').join('; ')],
    ]),
    { width },
  );
}

function peakText(stage: PlannedStage, plan: Plan): string {
  const [{ peak }, { device }] = [stage, plan];
  if (peak === null) return UNKNOWN;
  if (peak.measured !== undefined) return `${bytes(peak.measured)} measured`;
  const there =
    peak.device === undefined || device === undefined
      ? ''
      : `; on ${device.name} ${figures(peak.device)}${each(stage, plan, true)}`;
  return `${figures(peak)}${ofPeak(stage, plan)}${there}`;
}

/** Each of several ranks has as much: of its GPU, where the peak is one there, or of the memory of the machine. */
function each({ peak, chosen }: PlannedStage, { ranks }: Plan, isOnGpu: boolean): string {
  if (!isOnGpu) return (peak?.ranks ?? 1) > 1 ? ' per rank' : '';
  const isShared = chosen?.sharding !== undefined && ranks?.device === 'cuda';
  return isShared && ranks.devices * ranks.nodes > 1 ? ' per GPU' : '';
}

/** Of a machine that is not here, the peak itself is that of a GPU. */
const ofPeak = (stage: PlannedStage, plan: Plan): string =>
  each(stage, plan, plan.ranks?.device === 'cuda' && plan.device === undefined);

const figures = (peak: PeakFigures): string => `${bytes(peak.bytes)}, at most ${bytes(peak.high)}`;

const secondsText = (seconds: Seconds | null): string =>
  seconds === null ? UNKNOWN : `${duration(seconds.expected)}, at most ${duration(seconds.high)}`;

const BAR = 24;
const AVAILABLE = 'what is available';

function memoryTables(stage: PlannedStage, plan: Plan, palette: Palette, width?: number): readonly string[] {
  const { name, peak, limits } = stage;
  if (peak === null) return [];
  const { machine, device } = plan;
  const allowed = limits?.memory?.most ?? machine.availableBytes;
  const of = limits?.memory === undefined ? AVAILABLE : 'what the budget allows';
  const process = memoryTable(`Memory of ${name}${ofPeak(stage, plan)}`, peak, allowed, {
    ...{ palette, width, of },
    gpu: machine.devices[0]?.name,
  });
  return peak.device === undefined || device === undefined
    ? process
    : [
        ...process,
        '',
        ...memoryTable(
          `Memory of ${name} on ${device.name}${each(stage, plan, true)}`,
          peak.device,
          device.availableBytes,
          {
            palette,
            width,
          },
        ),
      ];
}

function memoryTable(
  title: string,
  peak: PeakFigures,
  availableBytes: number,
  {
    palette,
    width,
    of = AVAILABLE,
    gpu,
  }: {
    readonly palette: Palette;
    readonly width?: number | undefined;
    readonly of?: string;
    /** What a device of another machine is called. */
    readonly gpu?: string | undefined;
  },
): readonly string[] {
  const largest = Math.max(1, ...MEMORY_PARTS.map((part) => peak.parts[part]));
  const rows = MEMORY_PARTS.filter((part) => peak.parts[part] > 0).map((part) => {
    const size = peak.parts[part];
    return [
      `  ${part}`,
      bytes(size),
      palette.cyan('█'.repeat(Math.max(1, Math.round((BAR * size) / largest)))),
    ];
  });
  const times = peak.high / availableBytes;
  const share = times >= 100 ? `${count(times)} times` : `${(100 * times).toFixed(times < 0.1 ? 1 : 0)}% of`;
  return [
    ...wrapped(palette.bold(title), width ?? Number.POSITIVE_INFINITY),
    ...columns(
      [...rows, ['  sum', bytes(peak.bytes), palette.dim(`at most ${bytes(peak.high)}, ${share} ${of}`)]],
      { width },
    ),
    ...(peak.allocation === undefined ? [] : allocationLines(peak.allocation, palette, { width, gpu })),
  ];
}

/** Columns of a terminal from which reasons fit next to the rest of this table. */
const WIDE = 110;

function choiceTable(
  { name, scale, chosen, rejected, peak, limits }: PlannedStage,
  palette: Palette,
  width?: number,
): readonly string[] {
  if (chosen === null) return [];
  const why = (width ?? WIDE) < WIDE ? '' : 'why';
  const head = ['', ...PLAN_COLUMNS, 'peak', why].map((text) => palette.dim(text));
  const taken = [palette.green('  chosen'), ...planCells(chosen), peak === null ? '' : bytes(peak.bytes), ''];
  const others = rejected.map((one) => [
    palette.dim('  rejected'),
    ...planCells(one),
    bytes(one.peakBytes),
    palette.dim(one.why),
  ]);
  const trains = trainedText(scale);
  const title = palette.bold(`Choice for ${name}`);
  return [
    ...wrapped(
      trains === '' ? title : `${title}${palette.dim(`: ${trains}`)}`,
      width ?? Number.POSITIVE_INFINITY,
    ),
    ...columns([head, taken, ...others], { width }),
    ...columns(
      decidedBy(limits).map((line) => ['', palette.dim(line)]),
      { width },
    ),
  ];
}

/** Which lines of the pipeline decided, where the machine would have allowed more. */
function decidedBy(limits: StageLimits | undefined): readonly string[] {
  if (limits?.decides === undefined) return [];
  const { memory, time } = limits;
  return [
    ...(memory === undefined ? [] : [`${limitText(memory)} decided: at most ${bytes(memory.most)}`]),
    ...(time === undefined ? [] : [`${limitText(time)} decided: at most ${duration(time.most)}`]),
  ];
}

function trainedTable({ name, coverage }: PlannedStage, palette: Palette, width?: number): readonly string[] {
  if (coverage === undefined) return [];
  const [head = [], ...rows] = coverageCells(coverage);
  const indented = (row: readonly string[]): readonly string[] =>
    row.map((cell, index) => (index === 0 ? `  ${cell}` : cell));
  const cells = rows.map((row, index) =>
    coverage[index]?.trained === 0 ? indented(row).map((cell) => palette.dim(cell)) : indented(row),
  );
  return [
    palette.bold(`Trained in ${name}`),
    ...columns([indented(head).map((cell) => palette.dim(cell)), ...cells], { width }),
  ];
}

function budgetTable({ budget }: Plan, palette: Palette, width?: number): readonly string[] {
  if (budget.length === 0) return [];
  const rows = budget.map(({ require, holds, ...line }) => [
    holds === null ? palette.dim('  ?') : holds ? palette.green('  ✓') : palette.red('  ✗'),
    `require ${require}`,
    line.value === null ? UNKNOWN : `planned: ${plannedText(line)}`,
  ]);
  return [palette.bold('Budget'), ...columns(rows, { width })];
}

function conclusion(plan: Plan, palette: Palette): string {
  const { stages, totals, valid, budget, cost, download } = plan;
  const number = (action: StageAction): number => stages.filter((stage) => stage.action === action).length;
  const parts = [
    `${number('run')} to run`,
    ...(number('resume') > 0 ? [`${number('resume')} to resume`] : []),
    `${number('cached')} cached`,
    ...(totals.peakBytes === null
      ? []
      : [
          `peak ${bytes(totals.peakBytes)}${largest(stages)
            .map((stage) => ofPeak(stage, plan))
            .join('')}`,
        ]),
    totals.seconds === null ? `time ${UNKNOWN}` : `time ${duration(totals.seconds.expected)}`,
    `disk ${bytes(totals.diskBytes)}`,
    ...(download === undefined
      ? []
      : [`fetches ${bytes(download.bytes)} in about ${duration(download.seconds.expected)}`]),
    ...(cost.gpuHours === null || cost.gpus === 0
      ? []
      : [`${figureText(Number(cost.gpuHours.expected.toPrecision(3)))} GPU-hours`]),
    ...(cost.usd === null
      ? []
      : [`cost ${usd(cost.usd.expected)}, at most ${usd(cost.usd.high)} (${priceText(cost)})`]),
  ];
  const text = `${parts.join(', ')}.`;
  if (!valid) return `${palette.red('This plan cannot run.')} ${text}`;
  return budget.some(({ holds }) => holds === false)
    ? `${palette.red('A budget is exceeded.')} ${text}`
    : text;
}

/** The one whose peak is that of the whole. */
const largest = (stages: readonly PlannedStage[]): readonly PlannedStage[] =>
  stages.toSorted((a, b) => (b.peak?.bytes ?? 0) - (a.peak?.bytes ?? 0)).slice(0, 1);

/** `0.452`, `30,800` */
const figureText = (value: number): string => (value < 1000 ? numberText(value) : count(value));

/** `1.006 usd per hour: AWS, us-east-1, on demand, 2025-06` */
const priceText = ({ usdPerHour, by, priced }: PlanCost): string =>
  `${figureText(usdPerHour ?? 0)} usd per hour${by === 'option' ? ' as asked for' : priced === null ? '' : `: ${priced}`}`;

/** Where stages run at once: what that makes of time and memory. */
function atOnceText({ parallel, totals }: Plan): string {
  const { stages, seconds, peakBytes, by } = parallel;
  const gains = peakBytes !== totals.peakBytes || seconds?.expected !== totals.seconds?.expected;
  if (stages === 1) return '';
  const asked = by === 'option' ? '`--parallel`' : 'the least planned time';
  const begin = `Up to ${stages} stages at once (${asked})`;
  if (!gains) return `${begin}: no two of them can run at once.`;
  const times = [seconds, totals.seconds].flatMap((one) => (one === null ? [] : [duration(one.expected)]));
  const [time, alone] = times.length === 2 ? times : [];
  const figures = [
    ...(time === undefined ? [] : [`time ${time} instead of ${alone} one at a time`]),
    `peak ${bytes(peakBytes)}`,
  ];
  return `${begin}: ${figures.join(', ')}.`;
}
