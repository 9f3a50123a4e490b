import { extname, join, resolve } from 'node:path';
import { isError } from '../../../language/diagnostics/types.js';
import type { CliContext } from '../cli-context.js';
import { type Arguments, type Command, EXIT, option, UsageError, unknown } from '../command.js';
import { printDiagnostics, printFailure } from '../diagnostics-printer.js';
import { PLAN_OPTIONS, paramsOf, planMachine } from '../options/common-options.js';

const FORMATS = ['md', 'html'] as const;

export const docs: Command = {
  name: 'docs',
  doc: 'Writes a page about a pipeline, or prints the reference of the language.',
  positionals: [
    {
      name: 'what',
      doc: 'A pipeline (FILE.ftp), or a page of the reference: data, train, functions, …; default: the whole reference.',
      optional: true,
    },
  ],
  options: {
    ...PLAN_OPTIONS,
    format: option.choice(FORMATS, 'Format of the page; default: md, or as the ending of --out says.'),
    out: option.text('PATH', 'Write the page to this file, or the whole reference to this folder.'),
    json: option.flag('Print the contents of the page as JSON.'),
  },
  examples: [
    ['ftpc docs pipelines/legal.ftp --out legal.html', 'a page for people who do not read pipelines'],
    [
      'ftpc docs pipelines/legal.ftp --machine cpu-8gib > LEGAL.md',
      'as Markdown, planned for a machine of the catalogue',
    ],
    ['ftpc docs train', 'every setting of a train stage'],
    ['ftpc docs --out reference', 'the whole reference, one file per page'],
  ],
  run: async (args, context) => {
    const what = args.optionalPositional('what');
    const { host } = context;
    const isPipeline =
      what !== undefined && (what.endsWith('.ftp') || host.stat(resolve(host.cwd, what))?.isFolder === false);
    return isPipeline ? pipelinePage(what, args, context) : reference(what, args, context);
  },
};

async function reference(name: string | undefined, args: Arguments, context: CliContext): Promise<number> {
  const { referencePages } = await import('../../insight/docs/reference.js');
  const pages = referencePages(context.host);
  if (name !== undefined && !Object.hasOwn(pages, name))
    throw unknown('page', name, [...Object.keys(pages), 'FILE.ftp']);
  if (args.text('format') === 'html')
    throw new UsageError('the reference is Markdown: `--format html` is for the page of a pipeline');
  const chosen = Object.entries(pages).filter(([page]) => name === undefined || page === name);
  const out = args.text('out');
  if (args.flag('json')) context.out(JSON.stringify({ version: 1, pages: Object.fromEntries(chosen) }));
  else if (out === undefined) context.out(chosen.map(([, text]) => text.trimEnd()).join('\n\n'));
  else {
    const { writeOut } = await import('../write-file.js');
    for (const [page, text] of chosen)
      writeOut(context, name === undefined ? join(out, `${page}.md`) : out, text);
  }
  return EXIT.done;
}

async function pipelinePage(file: string, args: Arguments, context: CliContext): Promise<number> {
  const json = args.flag('json');
  const out = args.text('out');
  const format = args.text('format') ?? (/^\.html?$/i.test(extname(out ?? '')) ? 'html' : 'md');
  const params = paramsOf(args);
  const { planQuietly } = await import('../../review/plan-quietly.js');
  const machine = await planMachine(args);
  const { compiled, diagnostics, plan, lints } = await planQuietly(context.host, file, params, machine);
  const { program, analysis, sources } = compiled;
  if (program === undefined || analysis === undefined || plan === undefined)
    return printFailure(context, json, diagnostics, sources);
  // A stage that cannot be planned leaves holes in the page: here is why.
  await printDiagnostics(context, plan.diagnostics.filter(isError), sources);
  const { htmlPage, markdownPage, pageOf } = await import('../../insight/docs/index.js');
  const page = pageOf({ host: context.host, file, program, analysis, compiled, plan, lints, params });
  if (json) {
    context.out(JSON.stringify({ version: 1, ...page }, null, 2));
    return EXIT.done;
  }
  const text = format === 'html' ? await htmlPage(page) : markdownPage(page);
  if (out === undefined) context.out(text.trimEnd());
  else {
    const { writeOut } = await import('../write-file.js');
    writeOut(context, out, text);
  }
  return EXIT.done;
}
