import { expect } from 'chai';
import { type Host, HostError } from '../../../../src/language/host/host.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { fileLines, textLines } from '../../../../src/pipeline/stages/data/file-lines.js';
import { memoryHost } from '../../../compute/models/memory-host.js';

function hostOf(text: string): Host {
  const bytes = Buffer.from(text);
  return {
    ...nodeHost(),
    readBytes: (_, start = 0, length = bytes.length) => bytes.subarray(start, start + length),
  };
}

const read = (text: string, options: { window?: number; longest?: number } = {}) =>
  [...fileLines(hostOf(text), 'x', options)].map(({ number, offset, bytes, tooLong, length }) => ({
    number,
    offset,
    text: Buffer.from(bytes).toString(),
    tooLong,
    length,
  }));

describe('lines of a data file', () => {
  it('are the same whatever the window', () => {
    const text = '\ufeffone\r\n\n two é\n\r\nthree\rfour\nfive';
    const whole = read(text);
    expect(whole.map((line) => [line.number, line.text])).to.deep.equal([
      [1, 'one'],
      [3, ' two é'],
      [5, 'three\rfour'],
      [6, 'five'],
    ]);
    for (const { offset, length, text: content } of whole)
      expect(
        Buffer.from(text)
          .subarray(offset, offset + length)
          .toString(),
      ).to.equal(content);
    for (let window = 1; window < 40; window++) expect(read(text, { window })).to.deep.equal(whole);
  });

  it('bounds what a line without an end takes, and counts on behind it', () => {
    const text = `ab\n${'x'.repeat(1000)}\ncd\n${'y'.repeat(500)}`;
    for (const window of [7, 64, 5000]) {
      const lines = read(text, { window, longest: 100 });
      expect(lines.map(({ number, offset }) => [number, offset])).to.deep.equal([
        [1, 0],
        [2, 3],
        [3, 1004],
        [4, 1007],
      ]);
      expect(lines.filter(({ text: content }) => content.length > 100 + window)).to.deep.equal([]);
      if (window < 100) expect(lines.map(({ tooLong }) => tooLong)).to.deep.equal([false, true, false, true]);
      if (window < 100) expect(lines[1]?.length).to.equal(1000);
    }
  });

  it('passes on what the host says', () => {
    expect(() => [...fileLines(nodeHost(), '/nowhere/x.jsonl')]).to.throw(HostError);
  });
});

describe('lines of a file of the program itself', () => {
  const textOf = (text: string): readonly string[] => [...textLines(memoryHost({ '/f': text }), '/f')];

  it('end with a line feed or the file', () => {
    expect(textOf('')).to.deep.equal([]);
    expect(textOf('a')).to.deep.equal(['a']);
    expect(textOf('a\n')).to.deep.equal(['a']);
    expect(textOf('a\nb')).to.deep.equal(['a', 'b']);
  });

  it('go over the borders of windows, in the middle of characters and of lines', () => {
    const window = 1 << 20;
    for (const lead of [window - 3, window - 2, window - 1, window, 2 * window - 1]) {
      const text = [`${'x'.repeat(lead)}👩東`, 'ü'.repeat(window), 'end'];
      expect(textOf(`${text.join('\n')}\n`), String(lead)).to.deep.equal(text);
    }
  });
});
