import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../src/language/host/node-host.js';

const root = nodeHost().packageFolder;

describe('the page about security', () => {
  it('names only tests that exist, one for each promise', () => {
    const page = readFileSync(join(root, 'docs/security.md'), 'utf8');
    const rows = page.split('\n').filter((line) => /^\| (?!from|promise)/.test(line));
    const proofs = rows.map((row) => /`(test\/[\w./-]+\.ts)`: “([^”]+)” \|$/.exec(row));
    expect(rows.filter((_, at) => proofs[at] === null)).to.deep.equal([]);
    expect(proofs.length).to.be.greaterThan(25);
    const missing = proofs.filter((proof) => {
      const [, path = '', name = ''] = proof ?? [];
      return !readFileSync(join(root, path), 'utf8').includes(name);
    });
    expect(missing.map((proof) => proof?.[0])).to.deep.equal([]);
  });
});
