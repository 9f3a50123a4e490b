import { isError } from '../../../language/diagnostics/types.js';
import type { Plan } from '../../../pipeline/planner/plan-json.js';
import type { PlanRequest, Preparation } from '../../../pipeline/prepare/index.js';
import type { CliContext } from '../cli-context.js';
import { type Arguments, type Command, EXIT, option, UsageError } from '../command.js';
import {
  LOCKED_OPTION,
  PLAN_OPTIONS,
  paramsOf,
  planMachine,
  planRequest,
} from '../options/common-options.js';
import { PARALLEL, PRICE, parallelOf, priceOf } from '../options/machine-options.js';
import { NOTICE, noticeOf } from '../options/run-options.js';
import { COMPARISON_FORMATS, comparisonFormat } from '../review/comparison-format.js';

export const plan: Command = {
  name: 'plan',
  doc: 'Shows what a run would do and why, the memory, time and disk it needs, and what was chosen and rejected.',
  positionals: [{ name: 'file', doc: 'The pipeline.' }],
  options: {
    ...PLAN_OPTIONS,
    compare: option.flag('Show full training, LoRA and QLoRA of each train stage side by side.'),
    sweep: option.text(
      'WHAT',
      'Draw the memory of each train stage over rank, length or batch (or several: rank,length), or over values: rank=8,16,32; may be given more than once.',
      { many: true },
    ),
    svg: option.text('FILE.svg', 'Write the charts of --sweep to this file, too.'),
    machines: option.text(
      'PATTERN',
      'Plan for every machine of the catalogue and of the pipeline, or for those whose names have these words, e.g. a100, aws or `rtx 40*`: where it fits, how long it takes and what it costs.',
      { mayBeBare: true },
    ),
    price: PRICE,
    parallel: PARALLEL,
    notice: NOTICE,
    'exit-code': option.flag(
      'Exit with 2 if a stage would run or, with --against, if something changed; with 0 otherwise.',
    ),
    against: option.text('REF', 'Show what changed since this branch, tag or commit of git.'),
    format: option.choice(COMPARISON_FORMATS, 'Format of --against; default: text.'),
    ...LOCKED_OPTION,
    out: option.text(
      'PLANFILE',
      'Save the plan to this file: `ftpc run PLANFILE` does exactly what it says, or nothing if anything has changed.',
    ),
    json: option.flag('Print the plan as JSON.'),
  },
  examples: [
    ['ftpc plan pipelines/legal.ftp', 'for this machine'],
    ['ftpc plan pipelines/legal.ftp --machine rtx3090 --json', 'for a machine other than this one'],
    ['ftpc plan pipelines/legal.ftp --memory 4GiB', 'as if this machine had 4 GiB'],
    [
      'ftpc plan pipelines/legal.ftp --compare --machine rtx3090',
      'full training, LoRA and QLoRA: parameters, memory, time, size',
    ],
    [
      'ftpc plan pipelines/legal.ftp --sweep rank=8,16,64 --sweep length --svg memory.svg',
      'memory over rank and over length, as charts',
    ],
    [
      'ftpc plan pipelines/legal.ftp --machines a100',
      'on which machines it fits, how long it takes, what it costs',
    ],
    [
      'ftpc plan pipelines/legal.ftp --out legal.plan',
      'saved for review, and run exactly as it is by `ftpc run legal.plan`',
    ],
    [
      'ftpc plan pipelines/legal.ftp --against main',
      'what changed since main: settings, sizes, what reruns and why',
    ],
    [
      'ftpc plan pipelines/legal.ftp --against main --machine cpu-8gib --format markdown',
      'as a comment for a pull request',
    ],
  ],
  run: async (args, context) => {
    const ref = args.text('against');
    if (ref !== undefined) return against(args, context, ref);
    const view = viewOf(args);
    if (view !== undefined) return view(args, context);
    if (args.text('format') !== undefined)
      throw new UsageError('`--format` needs `--against`; without it, use `--json`');
    const out = outOf(args);
    const { prepare } = await import('../../../pipeline/prepare/index.js');
    const { diagnosticsPrinter, findingsLine } = await import('../diagnostics-printer.js');
    const request = await planRequest(args.positional('file'), args);
    const wanted = {
      ...request,
      price: priceOf(args),
      parallel: parallelOf(args),
      notice: noticeOf(args),
      locked: args.flag('locked'),
    };
    const prepared = await prepare(context.host, wanted, { shapes: out === undefined });
    const { lints } = prepared;
    const printer = await diagnosticsPrinter(context, lints.sources);
    const { UNKNOWN_MACHINE } = await import('../../../pipeline/planner/plan-diagnostics.js');
    const made = prepared.plan;
    const json = args.flag('json');
    const checked = [...prepared.diagnostics, ...lints.diagnostics];
    // a plan for this machine, instead of the one that was named and is not known, would mislead
    const unknown = (made?.diagnostics ?? []).filter(({ code }) => code === UNKNOWN_MACHINE);
    const diagnostics = [...checked, ...(unknown.length > 0 ? unknown : (made?.diagnostics ?? []))];
    const valid = checked.every(({ severity }) => severity !== 'error');
    if (!json) {
      const shown = diagnostics.filter((one) => isError(one) || !lints.diagnostics.includes(one));
      for (const text of printer.pretty(shown)) context.err(text);
      for (const line of findingsLine(lints.diagnostics, args.positional('file')))
        context.err(context.colours.err.dim(line));
    }
    if (made === undefined || unknown.length > 0) {
      if (json) context.out(printer.json(diagnostics));
      return EXIT.error;
    }
    const found = { ...made, valid: made.valid && valid };
    if (json)
      context.out(JSON.stringify({ ...found, diagnostics: diagnostics.map(printer.fields) }, null, 2));
    else {
      const { renderPlanText } = await import('../../../pipeline/planner/render/text.js');
      context.out(renderPlanText(made, context.colours.out, context.width));
      const lines = await computedBy(made, wanted, prepared, context);
      if (lines.length > 0) context.out(context.colours.out.dim(lines.join('\n')));
    }
    if (out !== undefined && found.valid && found.budget.every(({ holds }) => holds !== false)) {
      const { savePlan } = await import('../../../pipeline/prepare/index.js');
      savePlan(context.host, out, prepared, wanted);
      context.err(`saved: ${out}`);
    }
    return exitCode(found, args.flag('exit-code'));
  },
};

/** What computes, and why; then how, or what else could. Nothing of a plan whose stages only read and write rows. */
async function computedBy(
  plan: Plan,
  { runtime }: PlanRequest,
  { program }: Preparation,
  { host, width }: CliContext,
): Promise<readonly string[]> {
  const { computes } = await import('../../../pipeline/planner/parallel-stages.js');
  if (!plan.stages.some(({ kind }) => computes(kind))) return [];
  const { askedRuntime } = await import('../../../pipeline/planner/budget.js');
  const { explainChoice } = await import('../../../compute/tensor/runtimes/choice.js');
  const { engineLines } = await import('../../../pipeline/planner/render/engine.js');
  const { columns } = await import('../../../pipeline/planner/render/columns.js');
  const { wrapped } = await import('../../../pipeline/planner/render/wrapped.js');
  const ofRuntimes = (): readonly string[] => {
    const [chosen = '', ...others] = explainChoice(host, askedRuntime(runtime, program));
    return [`Computed by ${chosen}`, ...others];
  };
  const [first = '', ...others] = plan.engine === 'accelerate' ? engineLines(plan) : ofRuntimes();
  const rows = others.map((other): readonly string[] => [' ', other]);
  return ['', ...wrapped(first, width), ...columns(rows, { width })];
}

const VIEWS: Readonly<Record<'machines' | 'compare' | 'sweep', Command['run']>> = {
  machines: async (...asked) => (await import('../plan-views/machines.js')).planMachines(...asked),
  compare: async (...asked) => (await import('../plan-views/compare.js')).comparePlanMethods(...asked),
  sweep: async (...asked) => (await import('../plan-views/sweep.js')).sweepPlan(...asked),
};

/** Another view of the pipeline than its one plan, if one is asked for. Throws a {@link UsageError}. */
function viewOf(args: Arguments): Command['run'] | undefined {
  const asked = (['machines', 'compare', 'sweep'] as const).filter(
    (name) => args.flag(name) || args.texts(name).length > 0,
  );
  const [name, other = args.text('out') === undefined ? undefined : 'out'] = asked;
  if (name === undefined) {
    if (args.text('svg') !== undefined) throw new UsageError('`--svg` needs `--sweep`');
    return undefined;
  }
  if (other !== undefined) throw new UsageError(`\`--${other}\` cannot be combined with \`--${name}\``);
  return VIEWS[name];
}

/** A saved plan is run where it was made. */
function outOf(args: Arguments): string | undefined {
  const out = args.text('out');
  if (out !== undefined && args.text('machine') !== undefined)
    throw new UsageError('`--out` saves a plan for this machine; leave `--machine` out');
  if (out?.endsWith('.ftp') === true)
    throw new UsageError('`--out` names the file to write; one that ends in `.ftp` is a pipeline');
  return out;
}

/** Options that say how a run begins: a comparison is no run. */
const OF_RUNS = [
  'machines',
  'price',
  'compare',
  'sweep',
  'out',
  'locked',
  'runtime',
  'threads',
  'parallel',
  'notice',
] as const;

async function against(args: Arguments, context: CliContext, ref: string): Promise<number> {
  const other = OF_RUNS.find((name) => args.texts(name).length > 0);
  if (other !== undefined) throw new UsageError(`\`--${other}\` cannot be combined with \`--against\``);
  const { comparePlans } = await import('../review/against.js');
  const format = comparisonFormat(args);
  return comparePlans(context, {
    file: args.positional('file'),
    ref,
    params: paramsOf(args),
    machine: await planMachine(args),
    format,
    exitCode: args.flag('exit-code'),
  });
}

function exitCode(plan: Plan, changes: boolean): number {
  if (plan.budget.some(({ holds }) => holds === false)) return EXIT.budgetExceeded;
  if (!plan.valid) return EXIT.error;
  return changes && plan.stages.some(({ action }) => action !== 'cached') ? EXIT.changes : EXIT.done;
}
