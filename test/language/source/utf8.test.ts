import { expect } from 'chai';
import { lossyText, notUtf8At } from '../../../src/language/source/utf8.js';

describe('bytes that should be text', () => {
  const at = (...bytes: number[]) => notUtf8At(Uint8Array.from(bytes));

  it('says nothing of UTF-8, also where it holds replacement characters and a byte order mark', () => {
    expect(notUtf8At(Buffer.from('\ufeffé 😀 \ufffd'))).to.equal(undefined);
    expect(at()).to.equal(undefined);
  });

  it('finds the first byte that is none, after replacement characters of the text itself', () => {
    expect(at(0x61, 0xe9, 0x62)).to.equal(1);
    expect(at(0xef, 0xbf, 0xbd, 0x61, 0xff, 0xfe)).to.equal(2);
    expect(at(0xff, 0xfe, 0x61, 0x00)).to.equal(0);
  });

  it('finds an end in the middle of a character', () => {
    expect(at(0x61, 0xf0, 0x9f)).to.equal(1);
  });

  it('counts as the lossy text does', () => {
    const bytes = Buffer.concat([Buffer.from('äöü😀'), Buffer.from([0xc3, 0x28])]);
    expect(lossyText(bytes)[notUtf8At(bytes) ?? -1]).to.equal('\ufffd');
  });
});
