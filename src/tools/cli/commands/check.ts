import type { ParamValues } from '../../../language/check/overrides.js';
import { checkModels } from '../../../pipeline/prepare/check-models.js';
import type { CliContext } from '../cli-context.js';
import { type Arguments, type Command, EXIT, option, UsageError } from '../command.js';
import { PARAM_OPTION, paramsOf } from '../options.js';

/** Each prints in a form of its own. */
const FORMS = ['json', 'github', 'sarif'] as const;

export const check: Command = {
  name: 'check',
  doc: 'Checks a pipeline without running anything: names, types, units, files, wiring, and practices that fine-tuning guides advise against.',
  positionals: [{ name: 'file', doc: 'The pipeline.' }],
  options: {
    ...PARAM_OPTION,
    fix: option.flag('Make the corrections that are certain, in the file and in your files that it imports.'),
    'fix-all': option.flag('Also make corrections that are only likely.'),
    diff: option.flag('Print what `--fix` would change, and change nothing.'),
    json: option.flag('Print `{ version, valid, diagnostics }` as JSON.'),
    github: option.flag('Print annotations for a GitHub workflow.'),
    sarif: option.flag('Print a SARIF 2.1.0 log, for code scanning.'),
  },
  examples: [
    ['ftpc check pipelines/legal.ftp', 'every mistake, each with its location and a way to fix it'],
    ['ftpc check pipelines/legal.ftp -p smoke=true --json', 'for scripts and editors'],
    ['ftpc check pipelines/legal.ftp --fix', 'make the corrections that are certain'],
    ['ftpc check pipelines/legal.ftp --sarif > legal.sarif', 'for code scanning'],
  ],
  run: async (args, context) => {
    const file = args.positional('file');
    const params = paramsOf(args);
    const form = formOf(args);
    if (args.flag('fix') || args.flag('fix-all') || args.flag('diff')) {
      if (form === 'github' || form === 'sarif')
        throw new UsageError(`\`--${form}\` prints the findings of the file as it is; run \`--fix\` first`);
      const { fixFiles } = await import('../fix/fix.js');
      return fixFiles(context, {
        file,
        params,
        guesses: args.flag('fix-all'),
        diff: args.flag('diff'),
        json: form === 'json',
      });
    }
    loadAtOnce();
    const { diagnosticsPrinter } = await import('../diagnostics-printer.js');
    const { diagnostics, suppressed, sources } = await lookAt(context, file, params);
    const printer = await diagnosticsPrinter(context, sources);
    if (form === 'json') context.out(printer.json(diagnostics));
    else if (form === 'github') for (const line of printer.github(diagnostics)) context.out(line);
    else if (form === 'sarif') {
      const { sarifText } = await import('../sarif.js');
      context.out(sarifText(context.host, diagnostics, suppressed, sources));
    } else {
      const { verdict } = await import('../verdict.js');
      const { shown, line } = await verdict(diagnostics, file, context);
      for (const text of printer.pretty(shown)) context.err(`${text}\n`);
      context.err(line);
    }
    return diagnostics.every(({ severity }) => severity !== 'error') ? EXIT.done : EXIT.error;
  },
};

/** What nearly every check needs, asked for together: each import that waits for the one before costs a round of its own. */
function loadAtOnce(): void {
  void import('../../../language/lint/check-file.js');
  void import('../../../pipeline/stages/train/check.js');
  void import('../../../language/diagnostics/render/index.js');
  void import('../verdict.js');
}

/** A file of tests is checked with the pipelines that it is about. */
async function lookAt(context: CliContext, file: string, params: ParamValues) {
  const { isTestFile } = await import('../../../language/diagnostics/catalogue/syntax.js');
  if (isTestFile(file)) {
    const { readTests } = await import('../../pipeline-tests/index.js');
    return { ...readTests(context.host, file), suppressed: [] };
  }
  const { checkFile } = await import('../../../language/lint/check-file.js');
  const { compiled, diagnostics, report, sources } = checkFile(context.host, file, { params });
  const found = await checkModels(compiled, context.host);
  return { diagnostics: [...diagnostics, ...found], suppressed: report.suppressed, sources };
}

function formOf(args: Arguments): (typeof FORMS)[number] | undefined {
  const [form, more] = FORMS.filter((name) => args.flag(name));
  if (more !== undefined) throw new UsageError(`\`--${form}\` and \`--${more}\` exclude each other`);
  return form;
}
