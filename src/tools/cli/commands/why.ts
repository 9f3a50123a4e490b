import { type Command, EXIT, option } from '../command.js';
import { PLAN_OPTIONS, planRequest } from '../options/common-options.js';

export const why: Command = {
  name: 'why',
  doc: 'Shows why a stage would or would not run: what changed since its last output, traced back to the file or setting.',
  positionals: [
    { name: 'file', doc: 'The pipeline.' },
    { name: 'stage', doc: 'One of its stages.' },
  ],
  options: { ...PLAN_OPTIONS, json: option.flag('Print the tree of reasons as JSON.') },
  examples: [
    ['ftpc why pipelines/legal.ftp adapter', 'every difference, before and after'],
    ['ftpc why pipelines/legal.ftp adapter -p smoke=true --json', 'with parameters, for scripts'],
  ],
  run: async (args, context) => {
    const { openPipeline } = await import('../open-pipeline.js');
    const stage = args.positional('stage');
    const json = args.flag('json');
    const opened = await openPipeline(context, await planRequest(args.positional('file'), args), {
      json,
      planned: true,
    });
    if (opened?.plan === undefined) return EXIT.error;
    const { program, analysis, compiled, plan } = opened;
    const { requireStage, whyOf, whyText } = await import('../../insight/why/index.js');
    requireStage(program, stage);
    const answer = whyOf(stage, {
      host: context.host,
      file: program.file,
      plan,
      stages: analysis.stages,
      inputs: Object.fromEntries(program.stages.map(({ name, inputs }) => [name, inputs])),
      sources: compiled.sources,
    });
    context.out(json ? JSON.stringify(answer, null, 2) : whyText(answer, context.colours.out, context.width));
    return EXIT.done;
  },
};
