import type { Diagnostic } from '../../../language/diagnostics/types.js';
import type { CliContext } from '../cli-context.js';
import { type Command, EXIT, option, UsageError } from '../command.js';
import type { FormatOutcome, ReportOptions } from '../fix/format.js';

const STANDARD_INPUT = '-';

export const fmt: Command = {
  name: 'fmt',
  doc: 'Formats pipelines: one layout, no options, every comment kept; files with syntax errors are left alone.',
  positionals: [
    {
      name: 'file',
      doc: 'Files, folders (every .ftp in them) or `-` for standard input; default: this folder.',
      optional: true,
      many: true,
    },
  ],
  options: {
    check: option.flag('Write nothing; name the files that are not formatted and exit with 1.'),
    diff: option.flag('Write nothing; print what would change.'),
    json: option.flag('Print `{ version, files, diagnostics }` as JSON.'),
  },
  examples: [
    ['ftpc fmt', 'every .ftp in this folder and below'],
    ['ftpc fmt --check --diff pipelines', 'for CI: what is not formatted, and how it should be'],
    ['ftpc fmt - < legal.ftp', 'from standard input to standard output'],
  ],
  run: async (args, context) => {
    const names = args.positionals('file');
    const flags = { check: args.flag('check'), diff: args.flag('diff'), json: args.flag('json') };
    if (!names.includes(STANDARD_INPUT))
      return formatFiles(names.length === 0 ? ['.'] : names, flags, context);
    if (names.length > 1) throw new UsageError('`-` cannot be combined with files');
    return formatInput(flags, context);
  },
};

async function formatFiles(names: readonly string[], flags: ReportOptions, context: CliContext) {
  const { nothingToFormat } = await import('../../../language/diagnostics/catalogue/syntax.js');
  const { namedFiles } = await import('../named-files.js');
  const { formatFile } = await import('../fix/format.js');
  const { files, diagnostics } = namedFiles(context.host, names, {
    ending: '.ftp',
    nothing: nothingToFormat,
  });
  const write = !flags.check && !flags.diff;
  const outcomes = files.map((file) => formatFile(context.host, file, write));
  return finish(context, outcomes, diagnostics, flags);
}

async function formatInput(flags: ReportOptions, context: CliContext): Promise<number> {
  const { formatBytes } = await import('../fix/format.js');
  const outcome = formatBytes(await context.input(), '<standard input>');
  if (flags.check || flags.diff || flags.json || outcome.after === undefined)
    return finish(context, [outcome], [], flags);
  if (outcome.after !== '') context.out(outcome.after.replace(/\n$/, ''));
  return EXIT.done;
}

async function finish(
  context: CliContext,
  outcomes: readonly FormatOutcome[],
  diagnostics: readonly Diagnostic[],
  flags: ReportOptions,
): Promise<number> {
  const { report } = await import('../fix/format.js');
  await report(context, outcomes, diagnostics, flags);
  const failed = diagnostics.length > 0 || outcomes.some(({ status }) => status === 'failed');
  return failed || (flags.check && outcomes.some(({ status }) => status === 'changed'))
    ? EXIT.error
    : EXIT.done;
}
