import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { globSync } from 'tinyglobby';
import { filesMatching } from '../../src/source/node-glob.js';

const FILES = [
  'a.jsonl',
  'b.jsonl',
  'b.json',
  '.hidden.jsonl',
  'c1.txt',
  'c22.txt',
  'data/a.jsonl',
  'data/a+b.jsonl',
  'data/deep/a.jsonl',
  'data/über.jsonl',
  'data/.hidden.jsonl',
  'data/folder.jsonl/in.jsonl',
];

const PATTERNS = [
  ...[
    '*.jsonl',
    'data/*.jsonl',
    'data/*',
    '*',
    'data/a*.jsonl',
    'c*2.txt',
    '*.*',
    'data/*b*',
    'none/*.jsonl',
  ],
  ...[
    '**/*.jsonl',
    'data/**',
    '*/a.jsonl',
    'data/{a,b}.jsonl',
    'c?.txt',
    'c[12].txt',
    'a.jsonl',
    '.h*',
    'data/.*',
  ],
  ...[
    './*.jsonl',
    'data/../*.jsonl',
    'data//*.jsonl',
    'data/!(a).jsonl',
    'a.jsonl/*',
    'data/a+*.jsonl',
    '***.jsonl',
  ],
];

describe('files that match a pattern', () => {
  const base = mkdtempSync(join(tmpdir(), 'ftpc-glob-'));
  before(() => {
    for (const file of FILES) {
      mkdirSync(join(base, file, '..'), { recursive: true });
      writeFileSync(join(base, file), '');
    }
  });
  after(() => rmSync(base, { recursive: true }));

  const both = (pattern: string): void => {
    const library = globSync(pattern, { cwd: base, absolute: true, dot: false });
    expect([...filesMatching(pattern, base)].sort(), pattern).to.deep.equal(library.sort());
  };

  it('are those that the library finds', () => {
    for (const pattern of PATTERNS) both(pattern);
  });

  it('are so where links stand among them', () => {
    symlinkSync(join(base, 'data/a.jsonl'), join(base, 'link.jsonl'));
    symlinkSync(join(base, 'data'), join(base, 'folder-link.jsonl'));
    for (const pattern of PATTERNS) both(pattern);
  });
});
