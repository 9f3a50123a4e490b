import { join } from 'node:path';
import { expect } from 'chai';
import { loadTokenizer } from '../../../src/compute/models/tokenizer/tokenizer.js';
import { spellingOf, tokenBytes } from '../../../src/compute/serving/token-bytes.js';
import { nodeHost } from '../../../src/language/host/node-host.js';

const host = nodeHost();
const TEXT = 'Straße “日本” 😀\n\tok';

describe('bytes of tokens', () => {
  it('are those of the text, where tokens end within characters too', async () => {
    const tokenizer = await loadTokenizer(host, join(host.packageFolder, 'stdlib/models/starter'));
    expect(spellingOf(tokenizer)).to.equal('byte_level');
    const bytesOf = tokenBytes(tokenizer);
    const ids = [...tokenizer.encode(TEXT)];
    expect(Buffer.concat(ids.map(bytesOf)).toString()).to.equal(TEXT);
    expect(ids.length).to.be.above([...TEXT].length / 2);
    const end = tokenizer.idOf('<|im_end|>') ?? -1;
    expect(Buffer.from(bytesOf(end)).toString()).to.equal('<|im_end|>');
    expect(bytesOf(1e6)).to.have.length(0);
  });

  it('are written as numbers where a vocabulary has no characters for them', () => {
    const tokens = ['<0x0A>', '<0xE6>', '▁the', 'é'];
    const tokenizer = {
      encode: () => new Int32Array(0),
      decode: (ids: ArrayLike<number>) => Array.from(ids, (id) => tokens[id]).join(''),
      vocabSize: tokens.length,
      idOf: (token: string) => (tokens.includes(token) ? tokens.indexOf(token) : undefined),
      tokenOf: (id: number) => tokens[id],
    };
    const bytesOf = tokenBytes(tokenizer);
    expect(tokens.map((_, id) => [...bytesOf(id)])).to.deep.equal([
      [10],
      [0xe6],
      [...Buffer.from(' the')],
      [0xc3, 0xa9],
    ]);
  });
});
