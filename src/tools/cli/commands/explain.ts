import { join, resolve } from 'node:path';
import { unknown } from '../arguments.js';
import type { Arguments, Command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { memoryOf, PLAN_MACHINE_OPTIONS, planMachine, runtimeOf, threadsOf } from '../machine-options.js';
import { PARAM_OPTION, paramsOf } from '../params.js';
import { UsageError } from '../usage-error.js';
import { lineWidth, type World } from '../world.js';

export const explain: Command = {
  name: 'explain',
  doc: 'Explains a diagnostic, or a setting of a pipeline: its value, who set it and why, and what else it could be.',
  positionals: [
    {
      name: 'what',
      doc: 'A code (FTP0301), the id of a lint rule, or PIPELINE:STAGE.SETTING, PIPELINE:STAGE or PIPELINE:PARAM; default: lists all codes.',
      optional: true,
    },
  ],
  options: {
    ...PARAM_OPTION,
    ...PLAN_MACHINE_OPTIONS,
    json: {
      type: 'boolean',
      doc: 'Print `{ version, code, text }`, or everything about the setting, as JSON.',
    },
  },
  examples: [
    ['ftpc explain FTP0301', 'the page of that code'],
    [
      'ftpc explain pipelines/legal.ftp:adapter.lora.rank',
      'a setting: value, type, range, who set it and why',
    ],
    ['ftpc explain pipelines/legal.ftp:adapter', 'all settings of a stage'],
    ['ftpc explain', 'all codes'],
  ],
  run: async (args, world) => {
    const asked = args.optionalPositional('what');
    if (asked === undefined) return listCodes(args.flag('json'), world);
    const { addressOf } = await import('../../insight/settings/address.js');
    const { host } = world;
    const address = addressOf(asked, (path) => host.stat(resolve(host.cwd, path))?.isFolder === false);
    if (address !== undefined) return explainName(address.file, address.name, args, world);
    if (asked.includes(':'))
      throw new UsageError(
        `\`${asked}\` is not a pipeline: write \`FILE.ftp:STAGE.SETTING\`, e.g. \`pipelines/legal.ftp:adapter.lora.rank\``,
        'explain',
      );
    return explainCode(asked, args.flag('json'), world);
  },
};

const codesFolder = ({ host }: World): string => join(host.packageFolder, 'docs', 'errors');

const codesOf = (world: World): readonly string[] =>
  world.host
    .list(codesFolder(world))
    .flatMap((name) => (/^FTP\d{4}\.md$/.test(name) ? [name.slice(0, -'.md'.length)] : []));

const pageOf = (code: string, world: World): string =>
  world.host.readText(join(codesFolder(world), `${code}.md`));

function listCodes(json: boolean, world: World): number {
  const codes = codesOf(world).map((code) => ({
    code,
    title: (pageOf(code, world).split('\n')[0] ?? '').replace(/^#\s*(FTP\d{4}:?\s*)?/, ''),
  }));
  if (json) world.out(JSON.stringify({ version: 1, codes }));
  else for (const { code, title } of codes) world.out(`${code}  ${title}`);
  return EXIT.done;
}

async function explainCode(asked: string, json: boolean, world: World): Promise<number> {
  const { rules } = await import('../../../language/lint/index.js');
  const code = rules.find(({ id }) => id === asked)?.code ?? asked.toUpperCase();
  const codes = codesOf(world);
  if (!codes.includes(code)) {
    const isId = asked.includes('-');
    throw await unknown(
      isId ? 'rule' : 'code',
      isId ? asked : code,
      isId ? rules.map(({ id }) => id) : codes,
      explain,
    );
  }
  const text = pageOf(code, world);
  world.out(json ? JSON.stringify({ version: 1, code, text }) : text.trimEnd());
  return EXIT.done;
}

async function explainName(
  file: string,
  name: string | undefined,
  args: Arguments,
  world: World,
): Promise<number> {
  const { openPipeline } = await import('../open-pipeline.js');
  const { answerOf, answerText } = await import('../../insight/settings/index.js');
  const json = args.flag('json');
  const params = paramsOf(args);
  const wanted = {
    file,
    params,
    memoryBytes: memoryOf(args),
    runtime: runtimeOf(args),
    threads: threadsOf(args),
    ...(await planMachine(args)),
  };
  const opened = await openPipeline(world, wanted, { json, planned: true });
  if (opened === undefined) return EXIT.error;
  const { analysis, compiled, plan } = opened;
  const { lintReport } = await import('../../../language/lint/index.js');
  const lints = lintReport(compiled, world.host);
  const answer = answerOf(file, name, { analysis, sources: compiled.sources, plan, params, lints });
  world.out(
    json
      ? JSON.stringify({ version: 1, pipeline: file, ...answer }, null, 2)
      : answerText(answer, world.colours.out, lineWidth(world, 'out')),
  );
  return EXIT.done;
}
