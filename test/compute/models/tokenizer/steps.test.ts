import { expect } from 'chai';
import { parseTokenizer } from '../../../../src/compute/models/tokenizer/file.js';
import { loadPipeline } from '../../../../src/compute/models/tokenizer/pipeline.js';
import { checkSteps } from '../../../../src/compute/models/tokenizer/steps.js';
import { buildTokenizer } from '../../../../src/compute/models/tokenizer/tokenizer.js';
import { ModelError } from '../../../../src/compute/models/types.js';
import type { Json } from '../../../../src/language/host/json.js';

const bytes = (...values: readonly number[]): string => Buffer.from(values).toString('base64');
const precompiled = (precompiled_charsmap: unknown): Json => ({
  normalizer: { type: 'Precompiled', precompiled_charsmap },
});
const split = (Regex: string): Json => ({
  pre_tokenizer: { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false },
});
const nested = (levels: number): Json =>
  Array.from({ length: levels }).reduce<Json>((inner) => ({ type: 'Sequence', normalizers: [inner] }), {
    type: 'NFC',
  });

/** `A` becomes `xyz`, by a trie of three blocks. */
function charsmap(changed?: readonly [place: number, unit: number]): string {
  const units = new Uint32Array(768);
  units[0] = 0x100 << 10;
  units[0x141] = (0x341 << 10) | 0x100 | 0x41;
  units[0x200] = 0x8000_0000;
  if (changed !== undefined) units[changed[0]] = changed[1];
  const size = Buffer.alloc(4);
  size.writeUInt32LE(units.byteLength);
  return Buffer.concat([size, Buffer.from(units.buffer), Buffer.from('xyz\0')]).toString('base64');
}

/** Each of these ended the process, or kept it busy. */
const REFUSED: readonly (readonly [steps: Json, why: string])[] = [
  [precompiled('AAAA'), 'damaged'],
  [precompiled(''), 'damaged'],
  [precompiled('!!'), 'base64'],
  [precompiled(5), 'base64'],
  [precompiled(bytes(255, 255, 255, 255)), 'bytes, of 0'],
  [precompiled(bytes(0, 0, 0, 0)), 'of 0'],
  [precompiled(bytes(4, 0, 0, 0, 255, 255, 255, 255)), 'leads outside'],
  [precompiled(charsmap([0, 0x300 << 10])), 'leads outside'],
  [precompiled(charsmap([0x200, 0x8000_0009])), 'leads to no text'],
  [split('(a+)+b'), 'repeats what repeats'],
  [split('(a|a)*b'), 'repeats a choice'],
  [split('a*a*a*a*b'), 'in a row'],
  [split('('), 'does not close'],
  [split(`${'('.repeat(9_000)}`), 'does not close'],
  [
    { normalizer: { type: 'Replace', pattern: { String: 'a' }, content: 'a'.repeat(65) } },
    'characters of one',
  ],
  [{ normalizer: { type: 'Prepend', prepend: 'a'.repeat(2_000) } }, 'more than 1000 characters'],
  [{ normalizer: nested(30) }, 'nested too deeply'],
  [{ normalizer: nested(10_000) }, 'nested too deeply'],
  [{ pre_tokenizer: { type: 'FixedLength', length: 0 } }, 'no length'],
  [{ decoder: { type: 'Strip', content: 'a', start: 1, stop: 1 } }, 'from the end'],
  [{ decoder: { type: 'Whatever' } }, 'not supported'],
  [{ decoder: [] }, 'not an object'],
];

describe('the steps of a tokenizer', () => {
  REFUSED.forEach(([steps, why], i) => {
    it(`are refused: ${i}, ${why}`, () => {
      expect(() => checkSteps(steps)).to.throw(why);
    });
  });

  it('reach the library where its table leads nowhere outside', async () => {
    const pipeline = await loadPipeline({ pre_tokenizer: null, decoder: null, ...precompiled(charsmap()) });
    expect(pipeline.normalize('BAB')).to.equal('BxyzB');
  });

  it('are tried in another process where a pattern may try many ways, and that process may die', async () => {
    const json = {
      model: { type: 'BPE', vocab: { a: 0 }, merges: [] },
      ...split('a*a*(?!.|\\n)b'),
    };
    const error: unknown = await buildTokenizer(
      parseTokenizer(json, 'tokenizer.json'),
      'tokenizer.json',
    ).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(ModelError);
    expect((error as ModelError).detail).to.contain('tries too many ways');
  });
});
