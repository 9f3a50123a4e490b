import { dirname, join, relative, resolve } from 'node:path';
import { named, userError, wholeFile } from '../../../language/diagnostics/make.js';
import type { Host } from '../../../language/host/host.js';
import { shellWord } from '../../../language/source/shell-word.js';
import type { CliContext } from '../cli-context.js';
import { type Arguments, type Command, EXIT, option } from '../command.js';
import { ftpcWord } from '../init/spelling.js';
import {
  DEFAULT_TEMPLATE,
  isTemplate,
  TEMPLATE_NAMES,
  TEMPLATES,
  type TemplateName,
  templateFiles,
} from '../init/templates.js';

export const init: Command = {
  name: 'init',
  doc: 'Writes a small pipeline with its rows and tests into a folder, ready to check, plan and run.',
  positionals: [{ name: 'folder', doc: 'Where to write; default: here.', optional: true }],
  options: {
    template: option.choice(
      TEMPLATE_NAMES,
      `What to begin with; default: ${DEFAULT_TEMPLATE}, or the answer to a question at a terminal.`,
    ),
    json: option.flag('Print the paths of the files as JSON.'),
  },
  examples: [
    ['ftpc init', 'into this folder, with a template that you choose'],
    ['ftpc init topics --template classification', 'into a new one'],
  ],
  run: async (args, context) => {
    const template = await chosenTemplate(args, context);
    if (template === undefined) {
      context.err('nothing was written');
      return EXIT.error;
    }
    const { writeWhole } = await import('../../../pipeline/store/index.js');
    const { host } = context;
    const folder = resolve(host.cwd, args.optionalPositional('folder') ?? '.');
    const files = filesFor(host, folder, template);
    checkFree(host, files);
    for (const { path, text } of files) writeWhole(path, text, { sync: false });
    const paths = files.map(({ path }) => shownPath(host, path));
    if (args.flag('json')) context.out(JSON.stringify({ version: 1, template, files: paths }));
    else
      for (const line of [...paths.map((path) => `wrote ${path}`), '', ...nextSteps(host, folder, template)])
        context.out(line);
    return EXIT.done;
  },
};

async function chosenTemplate(args: Arguments, context: CliContext): Promise<TemplateName | undefined> {
  const named = args.text('template');
  if (named !== undefined && isTemplate(named)) return named;
  if (process.stdin.isTTY === true && context.terminal.err && !args.flag('json')) {
    const { askTemplate } = await import('../init/ask-template.js');
    return askTemplate(context);
  }
  const others = TEMPLATE_NAMES.filter((name) => name !== DEFAULT_TEMPLATE);
  context.err(`template: ${DEFAULT_TEMPLATE}; --template takes ${others.join(', ')} too`);
  return DEFAULT_TEMPLATE;
}

interface NewFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

const IGNORE = '.gitignore';

/** The files of the template, and what git need not keep, unless the folder says itself what that is. */
function filesFor(host: Host, folder: string, template: TemplateName): readonly NewFile[] {
  const files = Object.entries(templateFiles(host, template)).map(([name, text]) => ({
    path: join(folder, name),
    text,
  }));
  const ignore = join(folder, IGNORE);
  return host.stat(ignore) === undefined ? [...files, { path: ignore, text: 'releases/\n' }] : files;
}

/** What is where a file would be written, or a folder for it. */
function inTheWay(host: Host, path: string): string | undefined {
  if (host.stat(path) !== undefined) return path;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const found = host.stat(folder);
    if (found !== undefined) return found.isFolder ? undefined : folder;
    if (folder === dirname(folder)) return undefined;
  }
}

/** Throws a `UserError` if anything is where a file or its folder would be. */
function checkFree(host: Host, files: readonly NewFile[]): void {
  const taken = new Set(files.flatMap(({ path }) => inTheWay(host, path) ?? []));
  if (taken.size === 0) return;
  const [name = '', ...others] = [...taken].map((path) => shownPath(host, path));
  throw userError('FTP1520', wholeFile(name), `\`${name}\` is already there; nothing was written`, {
    notes: others.length === 0 ? [] : [`so ${others.length === 1 ? 'is' : 'are'} ${named(others, 'and')}`],
    help: 'choose another folder: `ftpc init FOLDER`',
  });
}

const shownPath = ({ cwd }: Host, path: string): string => relative(cwd, path).replaceAll('\\', '/');

/** What to type next, as it works here. */
function nextSteps(host: Host, folder: string, template: TemplateName): readonly string[] {
  const ftpc = ftpcWord(host);
  const { pipeline, ask } = TEMPLATES[template];
  const way = relative(host.cwd, folder);
  return [
    'next:',
    ...(way === '' ? [] : [`  cd ${shellWord(way)}`]),
    `  ${ftpc} plan ${pipeline}`,
    `  ${ftpc} run ${pipeline}`,
    `  ${ftpc} ${ask}`,
  ];
}
