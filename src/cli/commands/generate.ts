import type { ChatMessage } from '../../models/types.js';
import { ANSWER_OPTIONS, maxTokensOf, openOptions, samplingOf } from '../answers/options.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { readInput } from '../input.js';
import { UsageError } from '../usage-error.js';

export const generate: Command = {
  name: 'generate',
  doc: 'Lets a model answer one question: a model folder, an adapter folder, or a release.',
  positionals: [
    { name: 'model', doc: 'Folder of a model, of an adapter, or of releases.' },
    { name: 'question', doc: 'What is asked; `-` reads it from standard input.' },
  ],
  options: {
    ...ANSWER_OPTIONS,
    raw: { type: 'boolean', doc: 'Takes the question as the whole prompt, without the chat template.' },
    json: { type: 'boolean', doc: 'Print the answer with its token counts as JSON.' },
  },
  examples: [
    ['ftpc generate releases/legal "Is the MIT License approved by the OSI?"', 'the current release'],
    ['ftpc generate models/base "2 + 2 =" --raw --max-tokens 4', 'goes on from a text'],
  ],
  run: async (args, world) => {
    const { openForAnswers } = await import('../answers/open.js');
    const { answer } = await import('../answers/answer.js');
    const asked = args.positional('question');
    const question = asked === '-' ? await readInput() : asked;
    const system = args.text('system');
    const messages: readonly ChatMessage[] = [
      ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
      { role: 'user', content: question },
    ];
    const options = { maxTokens: maxTokensOf(args), sampling: samplingOf(args) };
    const model = await openForAnswers(world.host, args.positional('model'), openOptions(args, world));
    try {
      const found = await answer(model, args.flag('raw') ? question : model.prompt(messages), options);
      const { maxPositions } = model.decoder.options.config;
      if (found.reason === 'full' && found.answerTokens === 0)
        throw new UsageError(
          `the question has ${found.promptTokens} tokens and leaves no room for an answer: the model takes ${maxPositions}`,
          'generate',
        );
      world.out(args.flag('json') ? JSON.stringify({ version: 1, ...found }) : found.text);
      return EXIT.done;
    } finally {
      await model.release();
    }
  },
};
