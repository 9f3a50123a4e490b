import { isError } from '../../../language/diagnostics/types.js';
import type { LockOutcome } from '../../../pipeline/lock/index.js';
import type { CliContext } from '../cli-context.js';
import { type Arguments, type Command, EXIT, option, UsageError, unknown } from '../command.js';
import { diagnosticsPrinter } from '../diagnostics-printer.js';
import { PARAM_OPTION, paramsOf } from '../options/common-options.js';

export const lock: Command = {
  name: 'lock',
  doc: 'Records everything that a pipeline reads in the lock file next to it: commits of models, and digests of models, data, prompts and modules.',
  positionals: [
    { name: 'file', doc: 'The pipeline.' },
    {
      name: 'name',
      optional: true,
      many: true,
      doc: 'With --upgrade: the entries to update, e.g. `org/name` or `data/*.jsonl`; default: all.',
    },
  ],
  options: {
    ...PARAM_OPTION,
    upgrade: option.flag(
      'Update the lock to what is there now: new commits of branches, changed files. Without it, locked entries stay.',
    ),
    check: option.flag(
      'Only compare, without network requests, and exit with 2 if something differs or is missing.',
    ),
    json: option.flag('Print what was done as JSON.'),
  },
  examples: [
    ['ftpc lock pipelines/legal.ftp', 'writes the lock, or adds missing entries'],
    ['ftpc lock pipelines/legal.ftp --check', 'in CI: has anything changed since it was locked?'],
    ['ftpc lock pipelines/legal.ftp --upgrade HuggingFaceTB/SmolLM2-135M-Instruct', 'updates one model'],
  ],
  run: async (args, context) => {
    const names = args.positionals('name');
    if (names.length > 0 && !args.flag('upgrade')) throw new UsageError('names need `--upgrade`');
    if (args.flag('check') && args.flag('upgrade'))
      throw new UsageError('`--check` and `--upgrade` exclude each other');
    const { openPipeline } = await import('../open-pipeline.js');
    const json = args.flag('json');
    const request = { file: args.positional('file'), params: paramsOf(args) };
    const opened = await openPipeline(context, request, { json, planned: false });
    if (opened === undefined) return EXIT.error;
    const { program, analysis, compiled } = opened;
    const printer = await diagnosticsPrinter(context, compiled.sources);
    const { checkAgainst, lockKeys, means, namesOf, writeLock } = await import(
      '../../../pipeline/lock/index.js'
    );
    const keys = names.length === 0 ? [] : lockKeys({ program, analysis }, context.host);
    const stranger = names.find((name) => !keys.some((key) => means(name, key)));
    if (stranger !== undefined) throw unknown('entry', stranger, keys.flatMap(namesOf));
    const outcome = args.flag('check')
      ? { diagnostics: checkAgainst({ program, analysis }, context.host) }
      : await writeLock({ program, analysis }, context.host, args.flag('upgrade') ? { upgrade: names } : {});
    if (json) {
      const { lock: _, diagnostics, ...done } = { lock: undefined, ...outcome };
      context.out(
        JSON.stringify({ version: 1, ...done, diagnostics: diagnostics.map(printer.fields) }, null, 2),
      );
    } else {
      for (const text of printer.pretty(outcome.diagnostics)) context.err(text);
      await report(context, args, outcome);
    }
    return exitCode(outcome, args.flag('check'));
  },
};

async function report(context: CliContext, args: Arguments, outcome: LockOutcome): Promise<void> {
  const { green, yellow, dim } = context.colours.err;
  if (!('path' in outcome)) {
    if (args.flag('check') && outcome.diagnostics.length === 0)
      context.err(`${green('ok')}: matches the lock`);
    return;
  }
  const { path, written, added, moved, removed, differing } = outcome;
  for (const [sign, keys] of [
    ['+', added],
    ['~', moved],
    ['-', removed],
  ] as const)
    for (const key of keys) context.err(`${sign} ${key}`);
  for (const key of differing)
    context.err(yellow(`! ${key}: differs from the lock; --upgrade accepts the change`));
  context.err(written ? `${green('written')}: ${path}` : dim(`${path} is unchanged`));
}

/** What differs is no error of the command: it is what one asks it for. */
function exitCode(outcome: LockOutcome, check: boolean): number {
  const errors = outcome.diagnostics.filter(isError);
  if (check && errors.length > 0)
    return errors.every(({ code }) => DIFFERENCES.includes(code)) ? EXIT.changes : EXIT.error;
  if (errors.length > 0) return EXIT.error;
  return 'differing' in outcome && outcome.differing.length > 0 ? EXIT.changes : EXIT.done;
}

/** No lock, not in the lock, not as it was locked. */
const DIFFERENCES: readonly string[] = ['FTP1422', 'FTP1423', 'FTP1424'];
