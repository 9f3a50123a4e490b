import type { Answerer, AnswerOptions, Prompt } from '../../../compute/evaluation/chat.js';
import {
  ANSWER_OPTIONS,
  answerLine,
  answerOptions,
  answersOf,
  noTemplate,
  openOptions,
  printer,
} from '../answer-options.js';
import type { CliContext } from '../cli-context.js';
import { type Arguments, type Command, EXIT, option, UsageError } from '../command.js';
import type { Question } from '../questions.js';

export const generate: Command = {
  name: 'generate',
  doc: 'Answers a question, or all questions in a file, with a model folder, an adapter folder, or a release.',
  positionals: [
    { name: 'model', doc: 'Folder of a model, of an adapter, or of releases; or a GGUF file.' },
    {
      name: 'question',
      optional: true,
      doc: 'The question; `-` reads it from standard input. Omitted if `--questions` names a file.',
    },
  ],
  options: {
    ...ANSWER_OPTIONS,
    questions: option.text(
      'FILE.jsonl',
      'Answer every question in a file, in batches; a line is `{ "question": … }` or `{ "messages": […] }`.',
    ),
    raw: option.flag('Use the question as the whole prompt, without the chat template.'),
    json: option.flag('Print every answer with its token counts as a JSON object on one line.'),
  },
  examples: [
    ['ftpc generate releases/legal "Is the MIT License approved by the OSI?"', 'the current release'],
    ['ftpc generate models/base "2 + 2 =" --raw --max-tokens 4', 'continues a text'],
    ['ftpc generate releases/legal --questions held-out.jsonl --json', 'many answers, one per line'],
  ],
  run: async (args, context) => {
    const options = answerOptions(args);
    const file = args.text('questions');
    if ((file === undefined) === (args.optionalPositional('question') === undefined))
      throw new UsageError('`ftpc generate` needs QUESTION or `--questions FILE.jsonl`, one of them');
    if (file !== undefined && args.flag('raw'))
      throw new UsageError('`--raw` works with a single question; questions of a file use the chat template');
    const { openAnswerer } = await import('../../../pipeline/deploy/open-answerer.js');
    const questions = file === undefined ? undefined : await questionsOf(file, args, context);
    const prompt = file === undefined ? await promptOf(args, context) : '';
    const model = await openAnswerer(context.host, openOptions(args, context));
    try {
      if (!args.flag('raw') && !model.chats) throw noTemplate(model);
      if (questions === undefined) await answerOne(model, prompt, options, args.flag('json'), context);
      else await answerAll(model, questions, options, args.flag('json'), context);
      return EXIT.done;
    } finally {
      await model.release();
    }
  },
};

async function questionsOf(file: string, args: Arguments, { host }: CliContext) {
  const { readQuestions } = await import('../questions.js');
  return readQuestions(host, file, args.text('system'));
}

async function promptOf(args: Arguments, context: CliContext): Promise<Prompt> {
  const asked = args.positional('question');
  const question = asked === '-' ? await readQuestion(context) : asked;
  if (args.flag('raw')) return question;
  const system = args.text('system');
  return [
    ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
    { role: 'user', content: question },
  ];
}

/** Standard input, without the line break at its end. */
async function readQuestion(context: CliContext): Promise<string> {
  const { decoded } = await import('../questions.js');
  return decoded(await context.input(), '-').replace(/\r?\n$/, '');
}

async function answerOne(
  model: Answerer,
  prompt: Prompt,
  options: AnswerOptions,
  json: boolean,
  context: CliContext,
): Promise<void> {
  const found = await answersOf(model, () =>
    model.answer(prompt, options, json ? undefined : printer(context)),
  );
  context.out(json ? answerLine(found) : '');
}

async function answerAll(
  model: Answerer,
  questions: readonly Question[],
  options: AnswerOptions,
  json: boolean,
  context: CliContext,
): Promise<void> {
  const prompts = questions.map(({ messages, at }) => ({ prompt: messages, at }));
  const print = printer(context);
  let done = 0;
  await answersOf(model, async () => {
    for await (const answer of model.answerAll(prompts, options)) {
      const question = questions[done++];
      if (json) context.out(answerLine({ line: question?.at.line, ...answer }));
      else {
        print(`> ${question?.messages.at(-1)?.content ?? ''}\n${answer.text}`);
        context.out('');
      }
    }
  });
}
