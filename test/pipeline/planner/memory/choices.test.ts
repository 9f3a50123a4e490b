/** What choices of questions take, next to the keys and values that scoring them asks for. */
import { expect } from 'chai';
import { choiceLosses } from '../../../../src/compute/evaluation/choice-losses.js';
import { EVALUATION_SHAPES } from '../../../../src/compute/evaluation/evaluation-decoder.js';
import { cacheBytesPerToken } from '../../../../src/compute/evaluation/generation/generate.js';
import type { Decoder, DecodeSession } from '../../../../src/compute/models/decoder/types.js';
import { openModel } from '../../../../src/compute/models/load.js';
import { HeldBytes } from '../../../../src/compute/tensor/held-bytes.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { choiceBytes, readsChoices } from '../../../../src/pipeline/planner/memory/choices.js';

const host = nodeHost();
const model = openModel(host, `${host.packageFolder}/stdlib/models/starter`);
const config = { ...model.config, maxPositions: 4160 };
const memory = { config, onDevice: false };
const QUESTIONS = 4;

/** Rows of four choices each, which begin alike. */
function choicesOf(prompt: number, scored: number) {
  const row = (at: number) => {
    const ids = Int32Array.from({ length: prompt + scored }, (_, token) => {
      const question = Math.floor(at / 4);
      return token < prompt ? 3 + ((7 * question + token) % 50) : 60 + (at % 4) + token;
    });
    return { ids, labels: ids.slice().fill(-100, 0, prompt) };
  };
  return { count: 4 * QUESTIONS, lengthOf: () => prompt + scored, read: row };
}

/** Scores them, and gives the bytes of keys and values at most; `undefined` where no question was read by itself. */
async function heldBy(prompt: number, scored: number): Promise<number | undefined> {
  const held = new HeldBytes();
  const ofToken = cacheBytesPerToken(config);
  const session = async (_: number, capacity: number): Promise<DecodeSession> => {
    let caches = 0;
    const fill = (): void => {
      if (caches > 0) return;
      caches = ofToken * capacity;
      held.add(caches);
    };
    return {
      extends: true,
      append: async (ids: readonly Int32Array[], logits: string) => {
        fill();
        return new Float32Array(config.vocabSize * (logits === 'every' ? (ids[0]?.length ?? 0) : 1));
      },
      read: (_row: number, start: number, end: number) => {
        held.add(ofToken * (end - start));
        return new Float32Array(end - start);
      },
      restore: async ([row]: Parameters<DecodeSession['restore']>[0]) => {
        fill();
        held.discard(ofToken * (row?.[0]?.ids.length ?? 0));
      },
      release: async () => {
        held.discard(caches);
        caches = 0;
      },
    } as unknown as DecodeSession;
  };
  const loss = async ({ rows }: { readonly rows: number }) => ({
    sum: 0,
    rows: Array.from({ length: rows }, () => ({ sum: 0, tokens: 1 })),
  });
  const decoder = { options: { config }, session, loss } as unknown as Pick<
    Decoder,
    'loss' | 'options' | 'session'
  >;
  const { batchTokens } = EVALUATION_SHAPES;
  await choiceLosses(decoder, choicesOf(prompt, scored), { padId: 0, batchTokens });
  return held.most > 0 ? held.most : undefined;
}

describe('choices of questions', () => {
  const rows: readonly (readonly [prompt: number, scored: number])[] = [
    [200, 1],
    [200, 6],
    [2000, 1],
    [2000, 6],
    [4000, 1],
    [4000, 6],
  ];
  for (const [prompt, scored] of rows)
    it(`of ${prompt} tokens and choices of ${scored} take what their keys and values do`, async () => {
      const lengths = { longest: prompt + scored, answers: { most: scored, deviation: 0 } };
      const held = await heldBy(prompt, scored);
      expect(readsChoices(memory, lengths)).to.equal(held !== undefined);
      if (held !== undefined) expect(choiceBytes(memory, lengths)).to.be.within(held, 1.01 * held);
    });
});
