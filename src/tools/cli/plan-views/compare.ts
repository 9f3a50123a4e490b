/** `ftpc plan FILE --compare`: full training, LoRA and QLoRA side by side. */
import { isError } from '../../../language/diagnostics/types.js';
import { bytes, duration, magnitude } from '../../../pipeline/planner/quantities.js';
import { columns, type Palette } from '../../../pipeline/planner/render/columns.js';
import { wrapped } from '../../../pipeline/planner/render/wrapped.js';
import {
  compareMethods,
  type MethodComparison,
  type MethodFigures,
} from '../../../pipeline/prepare/compare-methods.js';
import type { CliContext } from '../cli-context.js';
import { type Arguments, EXIT } from '../command.js';
import { diagnosticsPrinter } from '../diagnostics-printer.js';
import { planRequest } from '../options/common-options.js';

export async function comparePlanMethods(args: Arguments, context: CliContext): Promise<number> {
  const request = await planRequest(args.positional('file'), args);
  const { prepared, diagnostics, comparison } = await compareMethods(context.host, request);
  const printer = await diagnosticsPrinter(context, prepared.lints.sources);
  if (args.flag('json'))
    context.out(
      comparison === undefined
        ? printer.json(diagnostics)
        : JSON.stringify({ ...comparison, diagnostics: diagnostics.map(printer.fields) }, null, 2),
    );
  else {
    for (const text of printer.pretty(diagnostics.filter((one) => !prepared.lints.diagnostics.includes(one))))
      context.err(text);
    if (comparison !== undefined) context.out(methodsText(comparison, context.colours.out, context.width));
  }
  return diagnostics.some(isError) ? EXIT.error : EXIT.done;
}

const NAMES = { full: 'full', lora: 'LoRA', qlora: 'QLoRA', head: 'head' } as const;
const UNKNOWN = '?';

export function methodsText(
  { pipeline, machine, runtime, stages }: MethodComparison,
  palette: Palette,
  width?: number,
): string {
  const on =
    machine.devices.length === 0
      ? machine.name
      : `${machine.name} (${machine.devices.length} × ${machine.devices[0]?.name})`;
  const each = `${bytes(machine.availableBytes)} to plan with`;
  const heading = `${palette.bold(`Methods for ${pipeline}`)} ${palette.dim(`on ${on}: ${each}; ${runtime}`)}`;
  const tables = stages.flatMap(({ name, methods }) => [
    '',
    ...columns(
      [
        ['', ...methods.map(({ method }) => NAMES[method])].map((text) => palette.bold(text)),
        ...rowsOf(methods, palette).map(([title = '', ...cells]) => [`  ${palette.dim(title)}`, ...cells]),
      ].map((row, index) => (index === 0 ? [palette.bold(name), ...row.slice(1)] : row)),
      { width, right: methods.map((_, index) => index + 1) },
    ),
  ]);
  return [...wrapped(heading, width ?? Number.POSITIVE_INFINITY), ...tables].join('\n');
}

const PARTS = ['weights', 'gradients', 'optimizer', 'activations'] as const;

function rowsOf(methods: readonly MethodFigures[], palette: Palette): readonly (readonly string[])[] {
  const row = (title: string, cell: (figures: MethodFigures) => string): readonly string[] => [
    title,
    ...methods.map(cell),
  ];
  const needsOf = ({ peak }: Pick<MethodFigures, 'peak'>) => peak?.device ?? peak ?? undefined;
  const sharded = methods.some(({ chosen }) => chosen?.sharding !== undefined);
  return [
    row('trained parameters', ({ trainableParameters: trained }) =>
      trained === null ? UNKNOWN : magnitude(trained),
    ),
    row('share of all', ({ trainableParameters: trained, totalParameters: all }) =>
      trained === null || all === null ? UNKNOWN : `${shareText((100 * trained) / all)}%`,
    ),
    row('peak memory of each', (figures) => sizeText(needsOf(figures)?.bytes)),
    row('at most', (figures) => sizeText(needsOf(figures)?.high)),
    ...PARTS.map((part) => row(`  ${part}`, (figures) => sizeText(needsOf(figures)?.parts[part]))),
    row('fits', ({ fits, lackingBytes }) =>
      fits
        ? palette.green('yes')
        : palette.red(lackingBytes === null ? 'no' : `no, ${bytes(lackingBytes)} more`),
    ),
    row('time', timeText),
    row('what is saved', ({ outputBytes }) => sizeText(outputBytes ?? undefined)),
    row('rows × times', ({ chosen }) =>
      chosen === null ? UNKNOWN : `${chosen.microBatch} × ${chosen.accumulation}`,
    ),
    row('recomputed blocks', ({ chosen }) => (chosen === null ? UNKNOWN : String(chosen.checkpointedBlocks))),
    ...(sharded ? [row('devices share', ({ chosen }) => chosen?.sharding ?? 'nothing')] : []),
    ...(methods.some((figures) => figures.sharded !== undefined)
      ? [
          row('peak under fsdp', (figures) => sizeText(needsOf(figures.sharded ?? figures)?.bytes)),
          row('time under fsdp', (figures) => timeText(figures.sharded ?? figures)),
        ]
      : []),
  ];
}

const timeText = ({ seconds }: Pick<MethodFigures, 'seconds'>): string =>
  seconds === null ? UNKNOWN : duration(seconds.expected);

const sizeText = (size: number | undefined): string => (size === undefined ? UNKNOWN : bytes(size));

const shareText = (percent: number): string =>
  percent === 100 ? '100' : percent.toFixed(percent < 1 ? 2 : 1);
