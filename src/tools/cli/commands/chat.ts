import type { Answerer, AnswerOptions, Prompt } from '../../../compute/evaluation/chat.js';
import type { ChatMessage } from '../../../compute/models/types.js';
import { askedAs, checkAsking, templateOption } from '../asked-as.js';
import type { CliContext } from '../cli-context.js';
import { type Command, EXIT, option } from '../command.js';
import {
  ANSWER_OPTIONS,
  answerLine,
  answerOptions,
  answersOf,
  noTemplate,
  openAsked,
  printer,
} from '../options/answer-options.js';

export const chat: Command = {
  name: 'chat',
  doc: 'Starts a chat with a model folder, an adapter folder, or a release. Ctrl-C stops an answer; an empty line or Ctrl-D ends the chat.',
  positionals: [{ name: 'model', doc: 'Folder of a model, of an adapter, or of releases; or a GGUF file.' }],
  options: { ...ANSWER_OPTIONS, json: option.flag('Print every answer as a JSON object on one line.') },
  examples: [['ftpc chat releases/legal --temperature 0.7', 'talk with the current release']],
  run: async (args, context) => {
    const { createInterface } = await import('node:readline');
    const { decoded } = await import('../questions.js');
    const options = answerOptions(args);
    checkAsking(args);
    const template = templateOption(args, context);
    const model = await openAsked(args, context, { template, oneAtATime: true });
    const messages: ChatMessage[] = [];
    // bytes as they come: a line that is not UTF-8 is refused, not repaired
    const lines = createInterface({ input: process.stdin.setEncoding('latin1'), terminal: false });
    const ask = (): void =>
      void process.stderr.write(context.terminal.err ? context.colours.err.cyan('> ') : '');
    const talk = args.flag('json') ? answerAsJson : answerAsText(printer(args));
    try {
      if (!model.chats) throw noTemplate(model);
      const prompt = askedAs(args, model, context, true);
      ask();
      for await (const line of lines) {
        if (line.trim() === '') break;
        messages.push({ role: 'user', content: decoded(Buffer.from(line, 'latin1'), '-') });
        messages.push({ role: 'assistant', content: await talk(model, prompt(messages), options, context) });
        ask();
      }
      return EXIT.done;
    } finally {
      lines.close();
      await model.release();
    }
  },
};

async function answerAsJson(
  model: Answerer,
  prompt: Prompt,
  options: AnswerOptions,
  context: CliContext,
): Promise<string> {
  const found = await answersOf(model, () => model.answer(prompt, options));
  context.out(answerLine(found));
  return found.text;
}

/** Ctrl-C ends the answer and not the talk: what was shown counts as said. */
const answerAsText =
  (print: (piece: string) => void): typeof answerAsJson =>
  async (model, prompt, options, context) => {
    const stop = new AbortController();
    const heard = (): void => stop.abort();
    process.on('SIGINT', heard);
    let said = '';
    try {
      const show = (piece: string): void => {
        said += piece;
        print(piece);
      };
      await answersOf(model, () => model.answer(prompt, { ...options, signal: stop.signal }, show));
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    } finally {
      process.off('SIGINT', heard);
      context.out('');
    }
    return said;
  };
