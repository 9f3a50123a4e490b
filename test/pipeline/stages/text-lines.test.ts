import { expect } from 'chai';
import { textLines } from '../../../src/pipeline/stages/text-lines.js';
import { memoryHost } from '../../compute/models/memory-host.js';

const lines = (text: string): readonly string[] => [...textLines(memoryHost({ '/f': text }), '/f')];

describe('lines of text', () => {
  it('end with a line feed or the file', () => {
    expect(lines('')).to.deep.equal([]);
    expect(lines('a')).to.deep.equal(['a']);
    expect(lines('a\n')).to.deep.equal(['a']);
    expect(lines('a\n\nb')).to.deep.equal(['a', '', 'b']);
  });

  it('go over the borders of windows, in the middle of characters and of lines', () => {
    const window = 1 << 20;
    for (const lead of [window - 3, window - 2, window - 1, window, 2 * window - 1]) {
      const text = [`${'x'.repeat(lead)}👩東`, 'ü'.repeat(window), 'end'];
      expect(lines(`${text.join('\n')}\n`), String(lead)).to.deep.equal(text);
    }
  });
});
