import { extname } from 'node:path';
import type { Graph } from '../../insight/graph/index.js';
import type { CliContext } from '../cli-context.js';
import { type Command, EXIT, option, UsageError } from '../command.js';
import { PARAM_OPTION, paramsOf } from '../options/common-options.js';

const FORMATS = ['mermaid', 'dot', 'text', 'svg'] as const;
type Format = (typeof FORMATS)[number];

const ENDINGS: Readonly<Record<string, Format>> = {
  '.mmd': 'mermaid',
  '.mermaid': 'mermaid',
  '.dot': 'dot',
  '.gv': 'dot',
  '.txt': 'text',
  '.svg': 'svg',
};

export const graph: Command = {
  name: 'graph',
  doc: 'Draws a pipeline: its stages and how they are connected.',
  positionals: [{ name: 'file', doc: 'The pipeline.' }],
  options: {
    ...PARAM_OPTION,
    format: option.choice(
      FORMATS,
      'Format of the drawing; default: mermaid, or as the ending of --out says.',
    ),
    status: option.flag('Show what a run would do with each stage, and what failed the last time.'),
    inputs: option.flag('Show the files and models that stages read.'),
    out: option.text('FILE', 'Write to a file: .mmd, .dot, .svg or .txt.'),
    json: option.flag('Print nodes and edges as JSON.'),
  },
  examples: [
    ['ftpc graph pipelines/legal.ftp', 'as Mermaid, which GitHub draws in a README'],
    ['ftpc graph pipelines/legal.ftp --format text --status', 'on a terminal, with what a run would do'],
    ['ftpc graph pipelines/legal.ftp --inputs --out legal.svg', 'as a picture'],
  ],
  run: async (args, context) => {
    const out = args.text('out');
    const file = args.positional('file');
    const status = args.flag('status');
    const json = args.flag('json');
    const format = json ? 'text' : formatOf(args.text('format'), out);
    const { openPipeline } = await import('../open-pipeline.js');
    const opened = await openPipeline(context, { file, params: paramsOf(args) }, { json, planned: status });
    if (opened === undefined) return EXIT.error;
    const { graphOf } = await import('../../insight/graph/index.js');
    const { failedLastTime } = await import('../../insight/runs/index.js');
    const drawn = graphOf(opened.program, {
      inputs: args.flag('inputs'),
      ...(opened.plan === undefined ? {} : { plan: opened.plan, failed: failedLastTime(context.host, file) }),
    });
    const text = json ? JSON.stringify(drawn) : await draw(drawn, format, context, out !== undefined);
    if (out === undefined) context.out(text);
    else {
      const { writeOut } = await import('../write-file.js');
      writeOut(context, out, `${text}\n`);
    }
    return EXIT.done;
  },
};

function formatOf(asked: string | undefined, out: string | undefined): Format {
  const given = FORMATS.find((format) => format === asked);
  if (given !== undefined || out === undefined) return given ?? 'mermaid';
  const ending = ENDINGS[extname(out).toLowerCase()];
  if (ending === undefined)
    throw new UsageError(
      `\`--out ${out}\` has an unknown format: end it with ${Object.keys(ENDINGS).join(', ')}, or give \`--format\``,
    );
  return ending;
}

async function draw(graph: Graph, format: Format, context: CliContext, toFile: boolean): Promise<string> {
  const { dot, graphText, mermaid, svgFile } = await import('../../insight/graph/index.js');
  const { PLAIN } = await import('../../../pipeline/planner/render/columns.js');
  const writers: Readonly<Record<Format, () => string | Promise<string>>> = {
    mermaid: () => mermaid(graph),
    dot: () => dot(graph),
    text: () => (toFile ? graphText(graph, PLAIN) : graphText(graph, context.colours.out, context.width)),
    svg: () => svgFile(graph),
  };
  return writers[format]();
}
