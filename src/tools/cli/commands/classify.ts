import type { Classification } from '../../../compute/evaluation/classify.js';
import { columns } from '../../../pipeline/planner/render/columns.js';
import type { CliContext } from '../cli-context.js';
import { type Command, EXIT, option } from '../command.js';
import { ANSWER_OPTIONS, answerLine, openOptions, shown } from '../options/answer-options.js';
import { MODEL_ENGINE } from '../options/engine-options.js';

export const classify: Command = {
  name: 'classify',
  doc: 'Gives a text one of the labels of a classifier, or the score of a reward model: a model folder, an adapter folder, or a release.',
  positionals: [
    {
      name: 'model',
      doc: 'Folder of a classifier, of an adapter with a classification head, or of releases.',
    },
    { name: 'text', doc: 'The text; `-` reads texts from standard input, one per line.' },
  ],
  options: {
    base: ANSWER_OPTIONS.base,
    '4bit': ANSWER_OPTIONS['4bit'],
    'raw-output': ANSWER_OPTIONS['raw-output'],
    engine: MODEL_ENGINE,
    python: ANSWER_OPTIONS.python,
    runtime: ANSWER_OPTIONS.runtime,
    threads: ANSWER_OPTIONS.threads,
    json: option.flag('Print every text with the probability of each label as a JSON object on one line.'),
  },
  examples: [
    ['ftpc classify releases/topics "The licensee may sublicense."', 'the likeliest label first'],
    ['ftpc classify releases/topics - --json < texts.txt', 'many texts, one per line'],
  ],
  run: async (args, context) => {
    const given = args.positional('text');
    const many = given === '-';
    const texts = many ? await linesOf(context) : [{ text: given, line: 1 }];
    const { openClassifier } = await import('../../../pipeline/deploy/open-answerer.js');
    const model = await openClassifier(context.host, await openOptions(args, context));
    try {
      for (const { text, line } of texts) {
        const found = await model.classify(text, many ? { file: '-', line, column: 0 } : undefined);
        if (args.flag('json')) context.out(answerLine({ text, label: found.label, ...valuesOf(found) }));
        else if (many) context.out(shown(`${found.score ?? found.label}\t${text}`, args));
        else for (const row of tableOf(found)) context.out(shown(row, args));
      }
      return EXIT.done;
    } finally {
      await model.release();
    }
  },
};

function tableOf({ shares, label, score }: Classification): readonly string[] {
  if (score !== undefined)
    return columns(
      [
        ['label', 'score'],
        [label, String(score)],
      ],
      { right: [1] },
    );
  const rows = shares.map(({ label, probability }) => [label, `${(100 * probability).toFixed(1)} %`]);
  return columns([['label', 'probability'], ...rows], { right: [1] });
}

const valuesOf = ({ shares, score }: Classification) =>
  score === undefined
    ? { probabilities: Object.fromEntries(shares.map(({ label, probability }) => [label, probability])) }
    : { score };

/** Blank lines are no texts. */
async function linesOf(
  context: CliContext,
): Promise<readonly { readonly text: string; readonly line: number }[]> {
  const { decoded } = await import('../questions.js');
  const lines = decoded(await context.input(), '-').split(/\r?\n/);
  return lines.flatMap((text, index) => (text.trim() === '' ? [] : [{ text, line: index + 1 }]));
}
