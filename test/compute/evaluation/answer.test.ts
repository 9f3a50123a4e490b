import { expect } from 'chai';
import { textStream } from '../../../src/compute/evaluation/chat.js';
import { growingAnswer } from '../../../src/compute/evaluation/generation/answer.js';
import {
  argmax,
  candidates,
  draw,
  type Sampling,
} from '../../../src/compute/evaluation/generation/sampling.js';
import { seededRandom } from '../../../src/compute/evaluation/seeded-random.js';

/** What an answer comes to whose tokens are the bytes of a text, and the pieces that were shown on the way. */
function spoken(bytes: Uint8Array, stops: readonly string[]) {
  const stream = textStream(stops);
  const pieces: string[] = [];
  const answer = growingAnswer(0, Int32Array.of(1), 1000, {
    maxTokens: bytes.length,
    stopIds: [],
    text: {
      decode: (ids) => new TextDecoder().decode(Uint8Array.from(ids)),
      stops,
      onText: (_, text) => pieces.push(stream.push(text)),
    },
  });
  for (const byte of bytes) {
    if (answer.ended) break;
    const logits = new Float32Array(256);
    logits[byte] = 1;
    answer.take(logits);
  }
  pieces.push(stream.end());
  return { ...answer.result(), shown: pieces.join(''), pieces };
}

describe('a growing answer', () => {
  const text = 'Grüße, 你好 👋🏽 ENDE!';
  const bytes = new TextEncoder().encode(text);
  const cases: readonly (readonly [stops: readonly string[], before: string])[] = [
    [['ß'], 'Grü'],
    [['好'], 'Grüße, 你'],
    [['🏽'], 'Grüße, 你好 👋'],
    [['ENDLICH', 'END'], 'Grüße, 你好 👋🏽 '],
    [['DE', 'E!'], 'Grüße, 你好 👋🏽 EN'],
    [['!'], 'Grüße, 你好 👋🏽 ENDE'],
    [['G'], ''],
    [['Ende', '\ufffd\ufffd'], text],
  ];
  for (const [stops, before] of cases)
    it(`ends before ${stops.join(' or ')}, also in what is shown`, () => {
      const { text: found, shown, pieces, reason } = spoken(bytes, stops);
      expect([found, shown]).to.deep.equal([before, before]);
      expect(pieces.join('')).not.to.contain('\ufffd');
      expect(reason).to.equal(before === text ? 'length' : 'stop');
    });

  it('shows at its end what is left of a character', () => {
    const { text: found, shown } = spoken(bytes.subarray(0, 3), ['x']);
    expect([found, shown]).to.deep.equal(['Gr\ufffd', 'Gr\ufffd']);
  });
});

describe('candidates', () => {
  const uniform = seededRandom(9);
  const draws = <T>(of: readonly T[]): T => of[Math.floor(uniform() * of.length)] as T;

  it('always hold the likeliest token, in order, and fewer the more is cut', () => {
    for (let round = 0; round < 400; round++) {
      const size = 1 + Math.floor(uniform() * 40);
      const spread = draws([0.01, 1, 50, 1e4, 3e38]);
      const steps = draws([1, 3, 1e6]);
      const logits = Float32Array.from({ length: size }, () =>
        uniform() < 0.1 ? Number.NEGATIVE_INFINITY : (Math.round((uniform() - 0.5) * steps) / steps) * spread,
      );
      if (argmax(logits) < 0) continue;
      const sampling: Sampling = {
        temperature: draws([1e-300, 0.01, 1, 7, 1e300]),
        topK: draws([undefined, 1, 2, 10, 1000]),
        topP: draws([undefined, 0, 0.3, 0.999, 1]),
        minP: draws([undefined, 0, 0.1, 1]),
        seed: 1,
      };
      const what = JSON.stringify({ logits: [...logits], sampling });
      const { ids, weights } = candidates(logits, sampling);
      expect([...ids], what).to.deep.equal([...new Set(ids)].sort((a, b) => a - b));
      expect(ids.includes(argmax(logits)), what).to.equal(true);
      expect(Math.max(...weights), what).to.equal(1);
      for (const at of [0, 0.5, 1 - 2 ** -32]) {
        const id = draw({ ids, weights }, at);
        expect(ids.includes(id) && logits[id] !== Number.NEGATIVE_INFINITY, what).to.equal(true);
      }
      const wider = candidates(logits, { ...sampling, topP: 1, minP: 0 }).ids;
      expect([...ids].every((id) => wider.includes(id))).to.equal(true);
    }
  });
});
