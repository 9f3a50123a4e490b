import { resolve } from 'node:path';
import type { ParamValues } from '../../../language/check/overrides.js';
import { type Diagnostic, isError } from '../../../language/diagnostics/types.js';
import { checkModels } from '../../../pipeline/prepare/check-models.js';
import type { FileCheck } from '../checks.js';
import type { CliContext } from '../cli-context.js';
import { type Arguments, type Command, EXIT, option, UsageError } from '../command.js';
import { diagnosticsPrinter } from '../diagnostics-printer.js';
import { PARAM_OPTION, paramsOf } from '../options/common-options.js';

/** Each prints in a form of its own. */
const FORMS = ['json', 'github', 'sarif'] as const;

export const check: Command = {
  name: 'check',
  doc: 'Checks pipelines without running anything: names, types, units, files, wiring, and practices that fine-tuning guides advise against.',
  positionals: [
    { name: 'file', doc: 'Pipelines, their tests and modules; of a folder, every .ftp in it.', many: true },
  ],
  options: {
    ...PARAM_OPTION,
    fix: option.flag('Make the corrections that are certain, in the file and in your files that it imports.'),
    'fix-all': option.flag(
      'Also make corrections that are only likely, such as of a misspelt name; never what a rule advises.',
    ),
    diff: option.flag('Print what `--fix` would change, and change nothing.'),
    json: option.flag('Print `{ version, valid, diagnostics }` as JSON.'),
    github: option.flag('Print annotations for a GitHub workflow.'),
    sarif: option.flag('Print a SARIF 2.1.0 log, for code scanning.'),
  },
  examples: [
    ['ftpc check pipelines/legal.ftp', 'every mistake, each with its location and a way to fix it'],
    ['ftpc check pipelines', 'every .ftp in a folder and below'],
    ['ftpc check pipelines/legal.ftp -p smoke=true --json', 'for scripts and editors'],
    ['ftpc check pipelines/legal.ftp --fix', 'make the corrections that are certain'],
    ['ftpc check pipelines/legal.ftp --sarif > legal.sarif', 'for code scanning'],
  ],
  run: async (args, context) => {
    const params = paramsOf(args);
    const form = formOf(args);
    const isFix = args.flag('fix') || args.flag('fix-all') || args.flag('diff');
    if (isFix && (form === 'github' || form === 'sarif'))
      throw new UsageError(`\`--${form}\` prints the findings of the file as it is; run \`--fix\` first`);
    if (!isFix) loadAtOnce();
    const { files, missing } = await filesOf(args.positionals('file'), context);
    if (files.length > 1 && Object.keys(params).length > 0)
      throw new UsageError(`\`-p\` sets parameters of one pipeline, and ${files.length} files were named`);
    if (isFix) {
      const { fixFiles } = await import('../fix/fix.js');
      return fixFiles(context, {
        ...{ files, missing, params },
        guesses: args.flag('fix-all'),
        diff: args.flag('diff'),
        json: form === 'json',
      });
    }
    const checks: FileCheck[] = [];
    for (const file of files) checks.push(await lookAt(context, file, params));
    const { merged, printChecks } = await import('../checks.js');
    const all = merged(checks, missing);
    const { diagnostics, suppressed, sources } = all;
    const printer = await diagnosticsPrinter(context, sources);
    const models = checks.flatMap((one) => one.models ?? []);
    if (form === 'json') context.out(printer.json(diagnostics, models));
    else if (form === 'github') for (const line of printer.github(diagnostics)) context.out(line);
    else if (form === 'sarif') {
      const { sarifText } = await import('../sarif.js');
      context.out(sarifText(context.host, diagnostics, suppressed, sources));
    } else await printChecks(context, all, async (file) => printEngines(context, checks[file]));
    return diagnostics.some(isError) ? EXIT.error : EXIT.done;
  },
};

/** The files that were named, and those of folders; one file is named as it was asked for. */
async function filesOf(
  names: readonly string[],
  { host }: CliContext,
): Promise<{ readonly files: readonly string[]; readonly missing: readonly Diagnostic[] }> {
  const [only = ''] = names;
  if (names.length === 1 && host.stat(resolve(host.cwd, only))?.isFolder !== true)
    return { files: names, missing: [] };
  const { nothingToFormat } = await import('../../../language/diagnostics/catalogue/syntax.js');
  const { namedFiles } = await import('../named-files.js');
  const { files, diagnostics } = namedFiles(host, names, { ending: '.ftp', nothing: nothingToFormat });
  return { files: files.map(({ name }) => name), missing: diagnostics };
}

/** What nearly every check needs, asked for together: each import that waits for the one before costs a round of its own. */
function loadAtOnce(): void {
  void import('../../../language/lint/check-file.js');
  void import('../../../pipeline/stages/train/check.js');
  void import('../../../pipeline/prepare/check-engines.js');
  void import('../../../language/diagnostics/render/index.js');
  void import('../checks.js');
}

/** A file of tests is checked with the pipelines that it is about. */
async function lookAt(context: CliContext, file: string, params: ParamValues): Promise<FileCheck> {
  const { isTestFile } = await import('../../../language/diagnostics/catalogue/syntax.js');
  if (isTestFile(file)) {
    const { readTests } = await import('../../pipeline-tests/index.js');
    const { diagnostics, sources } = readTests(context.host, file);
    return { file, diagnostics, sources, suppressed: [] };
  }
  const { checkFile } = await import('../../../language/lint/check-file.js');
  const { compiled, diagnostics, report, sources } = checkFile(context.host, file, { params });
  const ofModels = await checkModels(compiled, context.host);
  const { checkEngines } = await import('../../../pipeline/prepare/check-engines.js');
  const { models, diagnostics: ofEngines } = await checkEngines(compiled, context.host);
  const all = [...diagnostics, ...ofModels, ...ofEngines];
  return { file, diagnostics: all, models, suppressed: report.suppressed, sources };
}

/** A line for each model that the default engine does not compute with, where the file is for one that does. */
function printEngines({ err }: CliContext, check: FileCheck | undefined): void {
  for (const { stage, setting, architecture, engine, engines } of check?.models ?? [])
    if (engine === 'accelerate' && !engines.includes('embedded') && engines.includes(engine))
      err(`${stage}.${setting} is of the architecture ${architecture}: the accelerate engine computes it`);
}

function formOf(args: Arguments): (typeof FORMS)[number] | undefined {
  const [form, more] = FORMS.filter((name) => args.flag(name));
  if (more !== undefined) throw new UsageError(`\`--${form}\` and \`--${more}\` exclude each other`);
  return form;
}
