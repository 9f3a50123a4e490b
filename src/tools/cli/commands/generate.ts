import type { Answerer, AnswerOptions, Prompt } from '../../../compute/evaluation/chat.js';
import { askedAs, checkAsking, templateOption } from '../asked-as.js';
import type { CliContext } from '../cli-context.js';
import { type Arguments, type Command, EXIT, option, UsageError } from '../command.js';
import {
  ANSWER_OPTIONS,
  answerLine,
  answerOptions,
  answersOf,
  noTemplate,
  openAsked,
  printer,
} from '../options/answer-options.js';
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
    raw: option.flag('Use the question as the whole prompt, without template and system message.'),
    json: option.flag('Print every answer with its token counts as a JSON object on one line.'),
  },
  examples: [
    ['ftpc generate releases/legal "Is the MIT License approved by the OSI?"', 'the current release'],
    ['ftpc generate models/base "2 + 2 =" --raw --max-tokens 4', 'continues a text'],
    ['ftpc generate releases/legal --questions held-out.jsonl --json', 'many answers, one per line'],
    ['ftpc generate model.gguf "Is MIT free?" --engine llama.cpp', 'as llama.cpp answers'],
  ],
  run: async (args, context) => {
    const options = answerOptions(args);
    const file = args.text('questions');
    if ((file === undefined) === (args.optionalPositional('question') === undefined))
      throw new UsageError('`ftpc generate` needs QUESTION or `--questions FILE.jsonl`, one of them');
    if (file !== undefined && args.flag('raw'))
      throw new UsageError('`--raw` works with a single question; questions of a file use the chat template');
    const questions = file === undefined ? undefined : await questionsOf(file, context);
    const question = file === undefined ? await questionOf(args, context) : '';
    checkAsking(args, args.flag('raw'));
    const model = await openAsked(args, context, {
      oneAtATime: args.text('questions') === undefined,
      template: templateOption(args, context),
    });
    try {
      const ask = args.flag('raw') ? undefined : askedAs(args, model, context);
      const prompts = (questions ?? [{ messages: [{ role: 'user', content: question } as const] }]).map(
        (asked) => ({ ...asked, prompt: ask?.(asked.messages) ?? question }),
      );
      if (!model.chats && prompts.some(({ prompt }) => typeof prompt !== 'string')) throw noTemplate(model);
      const [first] = prompts;
      const print = args.flag('json') ? undefined : printer(args);
      if (questions !== undefined) await answerAll(model, prompts, options, print, context);
      else if (first !== undefined) await answerOne(model, first.prompt, options, print, context);
      return EXIT.done;
    } finally {
      await model.release();
    }
  },
};

async function questionsOf(file: string, { host }: CliContext) {
  const { readQuestions } = await import('../questions.js');
  return readQuestions(host, file);
}

/** The question itself, or standard input without the line break at its end. */
async function questionOf(args: Arguments, context: CliContext): Promise<string> {
  const asked = args.positional('question');
  if (asked !== '-') return asked;
  const { decoded } = await import('../questions.js');
  return decoded(await context.input(), '-').replace(/\r?\n$/, '');
}

/** Without `print`, answers are written as JSON. */
type Print = ((piece: string) => void) | undefined;

async function answerOne(
  model: Answerer,
  prompt: Prompt,
  options: AnswerOptions,
  print: Print,
  context: CliContext,
): Promise<void> {
  const found = await answersOf(model, () => model.answer(prompt, options, print));
  context.out(print === undefined ? answerLine(found) : '');
}

/** A question with how it is asked. */
interface AskedQuestion extends Partial<Question> {
  readonly prompt: Prompt;
}

async function answerAll(
  model: Answerer,
  prompts: readonly AskedQuestion[],
  options: AnswerOptions,
  print: Print,
  context: CliContext,
): Promise<void> {
  let done = 0;
  await answersOf(model, async () => {
    for await (const answer of model.answerAll(prompts, options)) {
      const question = prompts[done++];
      if (print === undefined) context.out(answerLine({ line: question?.at?.line, ...answer }));
      else {
        print(`> ${question?.messages?.at(-1)?.content ?? ''}\n${answer.text}`);
        context.out('');
      }
    }
  });
}
