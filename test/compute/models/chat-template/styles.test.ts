import { join } from 'node:path';
import { expect } from 'chai';
import {
  checkSpecialTokens,
  compileChatTemplate,
} from '../../../../src/compute/models/chat-template/index.js';
import { type ChatMessage, ModelError } from '../../../../src/compute/models/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { CHAT_STYLES } from '../../../../src/language/schemas/functions/template.js';
import { readFixture } from '../fixtures.js';

interface Recorded {
  readonly style: string;
  readonly cases: readonly {
    readonly messages: readonly ChatMessage[];
    readonly addGenerationPrompt: boolean;
    /** What transformers renders with the style's file. */
    readonly text?: string;
    readonly error?: string;
    /** What it renders with the template that such models ship. */
    readonly shipped?: string;
  }[];
}

const host = nodeHost();
const folder = join(host.packageFolder, 'stdlib/chat');
const source = (style: string): string => host.readText(join(folder, `${style}.jinja`));
const SPECIAL = { bos_token: '<s>', eos_token: '</s>' };
const recorded = readFixture<readonly Recorded[]>('chat/styles.json');

describe('chat styles of the library', () => {
  it('are files, recorded one by one', () => {
    expect(host.list(folder).map((name) => name.replace('.jinja', ''))).to.have.members([...CHAT_STYLES]);
    expect(recorded.map(({ style }) => style)).to.have.members([...CHAT_STYLES]);
  });

  for (const { style, cases } of recorded) {
    const template = compileChatTemplate(source(style), SPECIAL, style);

    it(`${style} is rendered as by transformers`, () => {
      for (const { messages, addGenerationPrompt, text, error } of cases) {
        const render = () => template.render(messages, { addGenerationPrompt });
        if (text !== undefined) expect(render()).to.equal(text);
        else expect(render).to.throw(ModelError).with.property('detail').that.includes(error);
      }
    });

    const shipped = cases.filter((recordedCase) => recordedCase.shipped !== undefined);
    if (shipped.length > 0)
      it(`${style} writes what the template writes that such models ship`, () => {
        // Phi-3's ends a whole chat with the end of the text, which belongs to no turn.
        for (const { text, shipped: theirs } of shipped)
          expect(text).to.equal(style === 'phi3' ? theirs?.replace(/<\/s>$/, '') : theirs);
      });
  }

  it('say which tokens the tokenizer must know as one', () => {
    const tokens: string[] = [];
    const tokenizer = {
      encode: (text: string) => {
        tokens.push(text);
        return Int32Array.of(1);
      },
    };
    for (const style of CHAT_STYLES) {
      tokens.length = 0;
      const template = compileChatTemplate(source(style), {}, style);
      checkSpecialTokens(tokenizer as unknown as Parameters<typeof checkSpecialTokens>[0], template);
      const written = source(style).match(/<\|\w+\|>|<\w+_of_turn>/g) ?? [];
      expect(tokens, style).to.include.members(style === 'zephyr' ? [] : [...new Set(written)]);
      if (style === 'zephyr' || style === 'llama2') expect(tokens).to.deep.equal([]);
    }
  });
});
