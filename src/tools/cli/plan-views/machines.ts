/** `ftpc plan FILE --machines [PATTERN]`: a table of the machines that a pipeline could run on. */

import { bytes, usd } from '../../../pipeline/planner/quantities.js';
import { columns, type Palette } from '../../../pipeline/planner/render/columns.js';
import { wrapped } from '../../../pipeline/planner/render/wrapped.js';
import { type MachineRow, type MachinesTable, planOnMachines } from '../../../pipeline/prepare/index.js';
import type { CliContext } from '../cli-context.js';
import { type Arguments, EXIT } from '../command.js';
import { diagnosticsPrinter } from '../diagnostics-printer.js';
import { planRequest } from '../options/common-options.js';
import { priceOf } from '../options/machine-options.js';

export async function planMachines(args: Arguments, context: CliContext): Promise<number> {
  const request = { ...(await planRequest(args.positional('file'), args)), price: priceOf(args) };
  const pattern = args.text('machines') ?? '';
  const { prepared, diagnostics, table } = await planOnMachines(context.host, request, pattern, {
    shapes: true,
  });
  const printer = await diagnosticsPrinter(context, prepared.lints.sources);
  if (args.flag('json')) {
    context.out(
      table === undefined
        ? printer.json(diagnostics)
        : JSON.stringify({ ...table, diagnostics: diagnostics.map(printer.fields) }, null, 2),
    );
  } else {
    const shown = diagnostics.filter(({ severity }) => severity !== 'info');
    for (const text of printer.pretty(shown)) context.err(text);
    if (table !== undefined)
      context.out(
        machinesText(table, { isAll: pattern !== '', palette: context.colours.out, width: context.width }),
      );
  }
  if (table === undefined) return EXIT.error;
  return table.smallest === null ? EXIT.error : EXIT.done;
}

interface Look {
  /** Those on which it does not fit have lines, too. */
  readonly isAll: boolean;
  readonly palette: Palette;
  readonly width: number | undefined;
}

const UNKNOWN = '?';

function machinesText(table: MachinesTable, { isAll, palette, width }: Look): string {
  const { dim, bold } = palette;
  const fitting = table.machines.filter(({ fits }) => fits);
  const others = table.machines.filter(({ fits }) => !fits);
  const head = ['', 'machine', '', 'peak/GiB', 'how', 'time', 'usd'].map(dim);
  const shown = isAll ? [...fitting, ...others] : fitting;
  const rows = shown.map((row) => cells(row, table, palette));
  const limit = width ?? Number.POSITIVE_INFINITY;
  return [
    bold(`Machines for ${table.pipeline}`),
    ...(rows.length === 0 ? [] : columns([head, ...rows], { right: [2, 3, 5, 6], width })),
    ...(isAll || others.length === 0 ? [] : ['', ...wrapped(dim(tooSmall(others)), limit)]),
    '',
    ...wrapped(conclusion(table), limit),
  ].join('\n');
}

function cells(row: MachineRow, { smallest, cheapest }: MachinesTable, palette: Palette): readonly string[] {
  const { machine, devices, fits, withinBudget, peak, memoryBytes, seconds, usd: cost } = row;
  const mark = fits ? (withinBudget ? palette.green('✓') : palette.yellow('!')) : palette.red('✗');
  const notes = [...(machine === smallest ? [SMALLEST] : []), ...(machine === cheapest ? [CHEAPEST] : [])];
  const figure = (text: string | undefined): string => (fits ? (text ?? UNKNOWN) : '');
  return [
    `${mark}${notes.join('')}`,
    notes.length === 0 ? machine : palette.bold(machine),
    devices === 0 ? 'CPU' : `${devices}x`,
    peakText(peak?.bytes, memoryBytes),
    fits ? how(row) : palette.dim('too small'),
    figure(seconds === null ? undefined : shortTime(seconds.expected)),
    figure(cost === null ? undefined : usd(cost.expected).replace(' usd', '')),
  ];
}

const SMALLEST = '*';
const CHEAPEST = '$';

/** `32.0/45.0`, GiB. */
const peakText = (peak: number | undefined, memory: number): string =>
  `${peak === undefined ? UNKNOWN : gib(peak)}/${gib(memory)}`;

const gib = (value: number): string => {
  const size = value / 2 ** 30;
  return size.toFixed(size >= 99.95 ? 0 : 1);
};

/** `0.4 s`, `45 s`, `4.9 min`, `2.1 h`, `3.5 d` */
function shortTime(seconds: number): string {
  const [size, unit] = TIMES.find(([from]) => seconds >= from) ?? [1, 's'];
  const value = seconds / size;
  return `${value.toFixed(value < 9.95 ? 1 : 0)} ${unit}`;
}

const TIMES = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
] as const;

/** Method and sharding of the training that needs most. */
function how({ chosen, engine }: MachineRow): string {
  if (chosen === null) return engine;
  const { method, sharding, checkpointedBlocks, cpuOffload } = chosen;
  return [
    method,
    ...(sharding === undefined ? [] : [sharding]),
    ...(cpuOffload === true ? ['offload'] : []),
    ...(checkpointedBlocks > 0 ? ['ckpt'] : []),
  ].join(' ');
}

function tooSmall(others: readonly MachineRow[]): string {
  const largest = others.reduce((most, row) => (row.memoryBytes > most.memoryBytes ? row : most));
  return `It does not fit ${others.length} others, of which ${largest.machine} has most memory: ${bytes(largest.memoryBytes)} each. A pattern lists them: \`--machines ${largest.machine}\`.`;
}

function conclusion({ machines, smallest, cheapest }: MachinesTable): string {
  const fitting = machines.filter(({ fits }) => fits).length;
  if (smallest === null)
    return fitting === 0
      ? 'It fits none of these machines.'
      : 'It fits some of these machines, and on none of them does it keep its budget.';
  const priced = machines.find(({ machine }) => machine === cheapest);
  const cost =
    priced?.usd == null
      ? ''
      : ` The cheapest is ${priced.machine} (${CHEAPEST}): ${usd(priced.usd.expected)}, at most ${usd(priced.usd.high)}${priced.priced === null ? '' : ` (${priced.priced})`}.`;
  return `It fits ${fitting} of ${machines.length} machines. The smallest is ${smallest} (${SMALLEST}).${cost}`;
}
