import { type Command, EXIT, EXIT_OF_RUN, option } from '../command.js';
import { PARAM_OPTION, paramsOf } from '../options/common-options.js';
import { wholeNumber } from '../options/machine-options.js';

const ROWS = 3;
const SPLITS = ['train', 'valid', 'test', 'all'] as const;

export const preview: Command = {
  name: 'preview',
  doc: 'Shows the output rows of a data or format stage, with special tokens and the supervised part highlighted.',
  positionals: [
    { name: 'file', doc: 'The pipeline.' },
    { name: 'stage', doc: 'A data or format stage; if it has not run yet, it runs first.' },
  ],
  options: {
    ...PARAM_OPTION,
    split: option.choice(SPLITS, 'Rows of this split; default: all.'),
    rows: option.number('N', `Maximum number of rows; default: ${ROWS}.`),
    json: option.flag('Print rows with ids and labels as JSON.'),
  },
  examples: [
    ['ftpc preview pipelines/legal.ftp dialogs', 'what the model will be trained on, token by token'],
    ['ftpc preview pipelines/legal.ftp dialogs --split test --rows 1 --json', 'ids and labels of one row'],
  ],
  run: async (args, context) => {
    const count = wholeNumber(args, 'rows') ?? ROWS;
    const { stageOutput } = await import('../preview.js');
    const found = await stageOutput(
      context,
      args.positional('file'),
      paramsOf(args),
      args.positional('stage'),
    );
    if ('status' in found) return EXIT_OF_RUN[found.status];
    // what is large was not read when it was looked up
    const { verifying } = await import('../../../compute/packaging/sealed.js');
    const host = verifying(context.host);
    const { preview: read } = await import('../../../pipeline/stages/format/preview.js');
    const shown = await read(host, found, args.text('split') ?? 'all', count);
    if (args.flag('json')) context.out(JSON.stringify(shown));
    else {
      const { rowLines } = await import('../preview.js');
      const { resultText } = await import('../summary.js');
      for (const row of shown.rows)
        for (const line of await rowLines({ ...context, host }, found, row)) context.out(line);
      if (shown.rows.length === 0) context.err('no rows in this split');
      // what was left out is not among the rows that are shown
      context.err(`${found.stage.name}: ${resultText(found.result)}`);
    }
    return EXIT.done;
  },
};
