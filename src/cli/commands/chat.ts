import type { ChatMessage } from '../../models/types.js';
import { ANSWER_OPTIONS, answerOf, answerOptions, noTemplate, openOptions } from '../answer-options.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-codes.js';

export const chat: Command = {
  name: 'chat',
  doc: 'Talks with a model: a model folder, an adapter folder, or a release. An empty line or Ctrl-D ends it.',
  positionals: [{ name: 'model', doc: 'Folder of a model, of an adapter, or of releases; or a GGUF file.' }],
  options: {
    ...ANSWER_OPTIONS,
    json: { type: 'boolean', doc: 'Print every answer as a JSON object on one line.' },
  },
  examples: [['ftpc chat releases/legal --temperature 0.7', 'talk with the current release']],
  run: async (args, world) => {
    const { createInterface } = await import('node:readline');
    const { openAnswerer } = await import('../../deploy/open-answerer.js');
    const options = answerOptions(args);
    const model = await openAnswerer(world.host, openOptions(args, world));
    const system = args.text('system');
    const messages: ChatMessage[] = system === undefined ? [] : [{ role: 'system', content: system }];
    const json = args.flag('json');
    const lines = createInterface({ input: process.stdin, terminal: false });
    const ask = (): void => void process.stderr.write(world.terminal.err ? world.colours.err.cyan('> ') : '');
    try {
      if (!model.chats) throw noTemplate(model);
      ask();
      for await (const line of lines) {
        if (line.trim() === '') break;
        messages.push({ role: 'user', content: line });
        const show = json ? undefined : (piece: string) => void process.stdout.write(piece);
        const found = await answerOf(model, messages, options, show);
        messages.push({ role: 'assistant', content: found.text });
        world.out(json ? JSON.stringify({ version: 1, ...found }) : '');
        ask();
      }
      return EXIT.done;
    } finally {
      lines.close();
      await model.release();
    }
  },
};
