import type { ChatMessage } from '../../models/types.js';
import { ANSWER_OPTIONS, answerOf, answerOptions, noTemplate, openOptions } from '../answer-options.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { readInput } from '../input.js';

export const generate: Command = {
  name: 'generate',
  doc: 'Lets a model answer one question: a model folder, an adapter folder, or a release.',
  positionals: [
    { name: 'model', doc: 'Folder of a model, of an adapter, or of releases; or a GGUF file.' },
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
    const options = answerOptions(args);
    const { openAnswerer } = await import('../../deploy/open-answerer.js');
    const asked = args.positional('question');
    const question = asked === '-' ? await readInput() : asked;
    const system = args.text('system');
    const messages: readonly ChatMessage[] = [
      ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
      { role: 'user', content: question },
    ];
    const model = await openAnswerer(world.host, openOptions(args, world));
    try {
      if (!args.flag('raw') && !model.chats) throw noTemplate(model);
      const found = await answerOf(model, args.flag('raw') ? question : messages, options);
      world.out(args.flag('json') ? JSON.stringify({ version: 1, ...found }) : found.text);
      return EXIT.done;
    } finally {
      await model.release();
    }
  },
};
