import { type Command, EXIT, option } from '../command.js';
import { PLAN_OPTIONS, planRequest } from '../options/common-options.js';

export const checklist: Command = {
  name: 'checklist',
  doc: 'Answers the production checklist of fine-tuning from a pipeline, its newest run and its releases: what is done, with the evidence, what is open, with what to write, and what cannot be known from here.',
  positionals: [{ name: 'file', doc: 'The pipeline.' }],
  options: {
    ...PLAN_OPTIONS,
    'exit-code': option.flag('Exit with 2 if an item is open.'),
    json: option.flag('Print the answers as JSON.'),
  },
  examples: [
    ['ftpc checklist pipelines/legal.ftp', 'before a model goes into production'],
    ['ftpc checklist pipelines/legal.ftp --exit-code', 'in a workflow: fails while an item is open'],
  ],
  run: async (args, context) => {
    const { openPipeline } = await import('../open-pipeline.js');
    const json = args.flag('json');
    const request = await planRequest(args.positional('file'), args);
    const opened = await openPipeline(context, request, { json, planned: true });
    if (opened?.plan === undefined) return EXIT.error;
    const { program, analysis, compiled, plan } = opened;
    const { answered, checklistText } = await import('../../insight/checklist/index.js');
    const { sources } = compiled;
    const answers = await answered(context.host, { program, analysis, sources, plan });
    if (json) context.out(JSON.stringify(answers, null, 2));
    else for (const line of checklistText(answers, context.colours.out, context.width)) context.out(line);
    return args.flag('exit-code') && answers.open > 0 ? EXIT.changes : EXIT.done;
  },
};
