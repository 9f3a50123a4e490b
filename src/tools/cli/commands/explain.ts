import { resolve } from 'node:path';
import { errorCodes, errorPage } from '../../insight/error-pages.js';
import type { CliContext } from '../cli-context.js';
import { type Arguments, type Command, EXIT, option, UsageError, unknown } from '../command.js';
import { PLAN_OPTIONS, paramsOf, planRequest } from '../options/common-options.js';

export const explain: Command = {
  name: 'explain',
  doc: 'Explains a diagnostic, a setting by its name, or a setting of a pipeline: its value, who set it and why, and what else it could be.',
  positionals: [
    {
      name: 'what',
      doc: 'A code (FTP0301), the id of a lint rule, a setting (rank), or PIPELINE:STAGE.SETTING, PIPELINE:STAGE or PIPELINE:PARAM; default: lists all codes.',
      optional: true,
      words: 'explained',
    },
  ],
  options: {
    ...PLAN_OPTIONS,
    json: option.flag('Print `{ version, code, text }`, or everything about the setting, as JSON.'),
  },
  examples: [
    ['ftpc explain FTP0301', 'the page of that code'],
    ['ftpc explain rank', 'what a setting is, and where it is written'],
    [
      'ftpc explain pipelines/legal.ftp:adapter.lora.rank',
      'a setting: value, type, range, who set it and why',
    ],
    ['ftpc explain pipelines/legal.ftp:adapter', 'all settings of a stage'],
    ['ftpc explain', 'all codes'],
  ],
  run: async (args, context) => {
    const asked = args.optionalPositional('what');
    if (asked === undefined) return listCodes(args.flag('json'), context);
    const { addressOf } = await import('../../insight/settings/address.js');
    const { host } = context;
    const address = addressOf(asked, (path) => host.stat(resolve(host.cwd, path))?.isFolder === false);
    if (address !== undefined) return explainName(address.file, address.name, args, context);
    if (asked.includes(':'))
      throw new UsageError(
        `\`${asked}\` is not a pipeline: write \`FILE.ftp:STAGE.SETTING\`, e.g. \`pipelines/legal.ftp:adapter.lora.rank\``,
      );
    if (/^FTP\d*$/i.test(asked)) return explainCode(asked, args.flag('json'), context);
    return (
      (await explainWord(asked, args.flag('json'), context)) ?? explainCode(asked, args.flag('json'), context)
    );
  },
};

async function listCodes(json: boolean, context: CliContext): Promise<number> {
  const codes = errorCodes(context.host).map((code) => ({
    code,
    title: errorPage(context.host, code)?.title ?? '',
  }));
  if (json) context.out(JSON.stringify({ version: 1, codes }));
  else {
    const { columns } = await import('../../../pipeline/planner/render/columns.js');
    const rows = codes.map(({ code, title }) => [code, title]);
    for (const line of columns(rows, { width: context.width })) context.out(line);
  }
  return EXIT.done;
}

/** A setting, a function or a kind of block by its name; `undefined` if there is none. */
async function explainWord(asked: string, json: boolean, context: CliContext): Promise<number | undefined> {
  const { foreignAnswer, settingsNamed } = await import('../../insight/settings/setting-page.js');
  const foreign = foreignAnswer(asked);
  const own = settingsNamed(asked);
  const found = own.length > 0 || foreign?.setting === undefined ? own : settingsNamed(foreign.setting);
  if (found.length === 0 && foreign === undefined) return undefined;
  if (json) {
    context.out(JSON.stringify({ version: 1, settings: found, elsewhere: foreign?.text }, null, 2));
    return EXIT.done;
  }
  const { settingPagesText } = await import('../../insight/settings/setting-page-text.js');
  const said = own.length > 0 ? undefined : foreign?.text;
  context.out(settingPagesText(asked, found, said, context.colours.out, context.width));
  return EXIT.done;
}

async function explainCode(asked: string, json: boolean, context: CliContext): Promise<number> {
  const { rules } = await import('../../../language/lint/index.js');
  const code = rules.find(({ id }) => id === asked)?.code ?? asked.toUpperCase();
  const codes = errorCodes(context.host);
  if (!codes.includes(code)) {
    if (asked.includes('-'))
      throw unknown(
        'rule',
        asked,
        rules.map(({ id }) => id),
      );
    const { explainedNames } = await import('../../insight/settings/setting-page.js');
    if (!/^FTP/i.test(asked)) throw unknown('setting', asked, explainedNames());
    throw unknown('code', code, codes);
  }
  const text = errorPage(context.host, code)?.text ?? '';
  if (json) context.out(JSON.stringify({ version: 1, code, text }));
  else {
    const { markdownLines } = await import('../../insight/markdown-lines.js');
    for (const line of markdownLines(text.trimEnd(), context.width)) context.out(line);
  }
  return EXIT.done;
}

async function explainName(file: string, name: string | undefined, args: Arguments, context: CliContext) {
  const { openPipeline } = await import('../open-pipeline.js');
  const { answerOf, answerText } = await import('../../insight/settings/index.js');
  const json = args.flag('json');
  const params = paramsOf(args);
  const opened = await openPipeline(context, await planRequest(file, args), { json, planned: true });
  if (opened === undefined) return EXIT.error;
  const { analysis, compiled, plan } = opened;
  const { lintReport } = await import('../../../language/lint/index.js');
  const lints = lintReport(compiled, context.host);
  const answer = answerOf(file, name, { analysis, sources: compiled.sources, plan, params, lints });
  context.out(
    json
      ? JSON.stringify({ version: 1, pipeline: file, ...answer }, null, 2)
      : answerText(answer, context.colours.out, context.width),
  );
  return EXIT.done;
}
