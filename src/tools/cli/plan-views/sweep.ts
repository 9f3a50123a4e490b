/** `ftpc plan FILE --sweep rank,length,batch`: memory as a chart, on a terminal and as SVG. */
import { bytes } from '../../../pipeline/planner/quantities.js';
import { columns, type Palette } from '../../../pipeline/planner/render/columns.js';
import { wrapped } from '../../../pipeline/planner/render/wrapped.js';
import {
  type StageSweep,
  SWEPT,
  type SweepAxis,
  type SweepPoint,
  sweepMemory,
} from '../../../pipeline/prepare/sweep.js';
import { choiceText, memorySvg, sharedText } from '../../insight/html/memory-bars.js';
import type { CliContext } from '../cli-context.js';
import { type Arguments, EXIT, UsageError } from '../command.js';
import { diagnosticsPrinter } from '../diagnostics-printer.js';
import { planRequest } from '../options/common-options.js';
import { writeOut } from '../write-file.js';

export async function sweepPlan(args: Arguments, context: CliContext): Promise<number> {
  const request = await planRequest(args.positional('file'), args);
  const axes = axesOf(args.texts('sweep'));
  const { prepared, diagnostics, sweep } = await sweepMemory(context.host, request, axes);
  const printer = await diagnosticsPrinter(context, prepared.lints.sources);
  const svg = args.text('svg');
  if (args.flag('json'))
    context.out(
      sweep === undefined
        ? printer.json(diagnostics)
        : JSON.stringify({ ...sweep, diagnostics: diagnostics.map(printer.fields) }, null, 2),
    );
  else {
    for (const text of printer.pretty(diagnostics.filter((one) => !prepared.lints.diagnostics.includes(one))))
      context.err(text);
    if (sweep !== undefined)
      context.out(sweep.sweeps.map((one) => sweepText(one, context.colours.out, context.width)).join('\n\n'));
  }
  if (sweep === undefined) return EXIT.error;
  if (svg !== undefined) writeOut(context, svg, memorySvg(sweep));
  return EXIT.done;
}

/** `rank,length` or `rank=8,16,32`, each several times. Throws a {@link UsageError}. */
export function axesOf(texts: readonly string[]): readonly SweepAxis[] {
  const axes = texts.flatMap((text): readonly SweepAxis[] => {
    const at = text.indexOf('=');
    if (at < 0) return text.split(',').map((name) => ({ over: sweptName(name) }));
    const values = text
      .slice(at + 1)
      .split(',')
      .map((word) => wholeNumber(word, text));
    return [{ over: sweptName(text.slice(0, at)), values: [...new Set(values)].sort((a, b) => a - b) }];
  });
  const twice = axes.find(({ over }, index) => axes.findIndex((one) => one.over === over) !== index);
  if (twice !== undefined) throw new UsageError(`\`--sweep\` has \`${twice.over}\` twice`);
  return axes;
}

function sweptName(text: string): SweepAxis['over'] {
  const found = SWEPT.find((name) => name === text.trim());
  if (found !== undefined) return found;
  throw new UsageError(
    `\`--sweep\` takes ${SWEPT.map((name) => `\`${name}\``).join(', ')}, each alone or with values such as \`rank=8,16,32\`, not \`${text}\``,
  );
}

const MOST_VALUES = 1_000_000;

function wholeNumber(word: string, text: string): number {
  const digits = word.trim().replace(/tok$/, '');
  const value = Number(digits);
  if (/^\d+$/.test(digits) && value >= 1 && value <= MOST_VALUES) return value;
  throw new UsageError(`\`--sweep ${text}\`: \`${word}\` is not a whole number from 1 to ${MOST_VALUES}`);
}

/** Columns of a bar, at least and at most. */
const BAR = { least: 16, most: 60 } as const;

export function sweepText(sweep: StageSweep, palette: Palette, width = 80): string {
  const { stage, over, availableBytes, points } = sweep;
  const limit = `${bytes(availableBytes)} to plan with`;
  const title = `${palette.bold(`Memory of ${stage} by ${over}:`)} ${palette.dim(`${sharedText(sweep)}; ${limit}`)}`;
  const cells = points.map(({ value, fits, peak, otherwise }) => {
    const needs = peak.device ?? peak;
    const mark = fits ? palette.green('✓') : otherwise === null ? palette.red('✗') : palette.yellow('~');
    return [mark, String(value), bytes(needs.bytes), `at most ${bytes(needs.high)}`];
  });
  const taken = Math.max(0, ...columns(cells, { right: [1, 2] }).map((line) => visible(line).length));
  const bar = Math.min(BAR.most, Math.max(BAR.least, width - taken - 2));
  const most = Math.max(availableBytes, ...points.map(({ peak }) => (peak.device ?? peak).high));
  const scale = (size: number): number => Math.round((bar * Math.min(size, most)) / most);
  const rows = cells.map((row, index) => [
    ...row,
    barOf(points[index], scale, scale(availableBytes), palette),
  ]);
  return [
    ...wrapped(title, width),
    ...columns(rows, { right: [1, 2] }),
    palette.dim(`${' '.repeat(taken + 2)}█ expected  ░ at most  │ available`),
    ...otherwiseText(sweep).flatMap((text) => wrapped(palette.dim(text), width)),
  ].join('\n');
}

/** What would be chosen where the plan of the others does not fit. */
const otherwiseText = ({ points, over }: StageSweep): readonly string[] =>
  points.flatMap(({ value, otherwise }) => {
    if (otherwise === null) return [];
    const { chosen, peak } = otherwise;
    return [
      `~ ${over} ${value} fits otherwise: ${choiceText(chosen)}, ${bytes((peak.device ?? peak).bytes)}`,
    ];
  });

/** `█████░░│`: what is expected, what it may be, and where the memory ends. */
function barOf(
  point: SweepPoint | undefined,
  scale: (size: number) => number,
  end: number,
  palette: Palette,
): string {
  if (point === undefined) return '';
  const needs = point.peak.device ?? point.peak;
  const [expected, high] = [Math.max(1, scale(needs.bytes)), scale(needs.high)];
  const cells = Array.from({ length: Math.max(high, end + 1) }, (_, at) =>
    at === end ? '│' : at < expected ? '█' : at < high ? '░' : ' ',
  );
  const colour = point.fits ? palette.cyan : palette.red;
  return colour(cells.join('').trimEnd());
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours of a terminal
const visible = (text: string): string => text.replace(/\u001b\[\d+m/g, '');
