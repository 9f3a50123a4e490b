import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { nodeHost } from '../../src/source/node-host.js';

describe('the real disk', () => {
  const file = fileURLToPath(import.meta.url);

  it('has nothing below a file, and nothing under an impossible name', () => {
    const { stat } = nodeHost();
    expect(stat(file)?.isFolder).to.equal(false);
    expect(stat(`${file}/below`)).to.equal(undefined);
    expect(stat(`/${'x'.repeat(300)}`)).to.equal(undefined);
    expect(stat('a\0b')).to.equal(undefined);
  });
});
