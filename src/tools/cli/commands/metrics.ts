import type { Run } from '../../insight/runs/index.js';
import type { CliContext } from '../cli-context.js';
import { type Arguments, type Command, EXIT, option, UsageError } from '../command.js';
import { printDiagnostics } from '../diagnostics-printer.js';
import { wholeNumber } from '../options/machine-options.js';

export const metrics: Command = {
  name: 'metrics',
  doc: 'Shows runs and their metrics in one table, draws curves, and answers SQL over all runs of this folder.',
  positionals: [],
  options: {
    pipeline: option.text('FILE', 'Only runs of this pipeline.'),
    last: option.number('N', 'Only the newest N runs.'),
    metric: option.text(
      'NAME',
      'Only this metric, e.g. rouge_l or quality.rouge_l; may be given more than once.',
      { many: true },
    ),
    plot: option.text(
      'NAME',
      'Draw loss, valid_loss, learning_rate, grad_norm or tokens_per_second by step, or a metric by run.',
    ),
    sql: option.text('QUERY', 'Answer a select over the views that --views lists.'),
    views: option.flag('List the views of --sql with their columns.'),
    csv: option.flag('Print the table as CSV.'),
    json: option.flag('Print the table as JSON.'),
  },
  examples: [
    [
      'ftpc metrics --pipeline pipelines/legal.ftp --metric rouge_l --metric perplexity',
      'how the runs compare',
    ],
    ['ftpc metrics --plot loss --last 3', 'the training curves of the newest three runs'],
    ['ftpc metrics --sql "select run, min(loss) from steps group by run" --csv', 'any question, as CSV'],
  ],
  run: async (args, context) => {
    const asked = ['plot', 'sql', 'views'].filter((name) => args.texts(name).length > 0);
    if (asked.length > 1) throw new UsageError(`\`--${asked[0]}\` and \`--${asked[1]}\` exclude each other`);
    if (args.flag('csv') && (args.flag('json') || asked[0] === 'plot' || asked[0] === 'views'))
      throw new UsageError('`--csv` is for tables: without `--json`, `--plot` and `--views`');
    if (args.flag('views')) return listViews(args.flag('json'), context);
    const last = wholeNumber(args, 'last');
    const { damageOf, readRuns } = await import('../../insight/runs/index.js');
    const pipeline = args.text('pipeline');
    const runs = readRuns(context.host, { curves: asked.length > 0, pipeline, last });
    await printDiagnostics(context, runs.flatMap(damageOf));
    const sql = args.text('sql');
    const plot = args.text('plot');
    if (sql !== undefined) await answerSql(runs, sql, args, context);
    else if (plot !== undefined) await draw(runs, plot, args, context);
    else await showTable(runs, args, context);
    return EXIT.done;
  },
};

async function answerSql(runs: readonly Run[], sql: string, args: Arguments, context: CliContext) {
  const { csv, query, tableText } = await import('../../insight/metrics/index.js');
  const { columns, rows } = await query(runs, sql);
  if (args.flag('json')) {
    const objects = rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index]])));
    context.out(JSON.stringify({ version: 1, columns, rows: objects }));
  } else if (args.flag('csv')) context.out(csv([columns, ...rows]));
  else for (const line of tableText(columns, rows, context.width, context.colours.out)) context.out(line);
}

async function showTable(runs: readonly Run[], args: Arguments, context: CliContext): Promise<void> {
  const { csv, metricsTable, metricsText } = await import('../../insight/metrics/index.js');
  const table = metricsTable(runs, args.texts('metric'));
  if (args.flag('json')) {
    const list = table.rows.map(({ run: { id, pipeline, started, status, seconds, params }, values }) => {
      const metrics = table.metrics.map((metric) => [metric, values[metric] ?? null] as const);
      return { run: id, pipeline, started, status, seconds, params, metrics: Object.fromEntries(metrics) };
    });
    context.out(JSON.stringify({ version: 1, runs: list }));
  } else if (args.flag('csv')) {
    const head = ['run', 'pipeline', 'started', 'status', 'seconds', ...table.metrics];
    const rows = table.rows.map(({ run: { id, pipeline, started, status, seconds }, values }) => {
      const time = started === null ? null : new Date(started).toISOString();
      return [id, pipeline, time, status, seconds, ...table.metrics.map((metric) => values[metric])];
    });
    context.out(csv([head, ...rows]));
  } else for (const line of metricsText(table, context.width, context.colours.out)) context.out(line);
}

async function draw(runs: readonly Run[], name: string, args: Arguments, context: CliContext): Promise<void> {
  const { plot, seriesOf } = await import('../../insight/metrics/index.js');
  const { series, xName } = seriesOf(runs, name);
  if (args.flag('json')) context.out(JSON.stringify({ version: 1, plot: name, x: xName, series }));
  else {
    context.out(context.colours.out.bold(name));
    for (const line of plot(series, xName, Math.min(context.width, WIDEST_PLOT), context.colours.out))
      context.out(line);
  }
}

/** A wider curve shows no more. */
const WIDEST_PLOT = 90;

async function listViews(json: boolean, context: CliContext): Promise<number> {
  const { VIEWS } = await import('../../insight/metrics/index.js');
  const { columns: aligned } = await import('../../../pipeline/planner/render/columns.js');
  if (json) {
    const views = Object.entries(VIEWS).map(([name, { doc, columns }]) => ({
      name,
      doc,
      columns: Object.entries(columns).map(([column, [type, doc]]) => ({ name: column, type, doc })),
    }));
    context.out(JSON.stringify({ version: 1, views }));
    return EXIT.done;
  }
  const { bold, dim } = context.colours.out;
  for (const [name, { doc, columns }] of Object.entries(VIEWS)) {
    for (const line of aligned([[bold(name), doc]], { width: context.width })) context.out(line);
    const rows = Object.entries(columns).map(([column, [type, doc]]) => [`  ${column}`, dim(type), doc]);
    for (const line of aligned(rows, { width: context.width })) context.out(line);
  }
  return EXIT.done;
}
