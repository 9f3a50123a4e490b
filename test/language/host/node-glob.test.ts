import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { globSync } from 'tinyglobby';
import { HostError } from '../../../src/language/host/host.js';
import { filesMatching } from '../../../src/language/host/node-glob.js';

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
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'ftpc-glob-')));
  before(() => {
    for (const file of FILES) {
      mkdirSync(join(base, file, '..'), { recursive: true });
      writeFileSync(join(base, file), '');
    }
  });
  after(() => rmSync(base, { recursive: true }));

  const both = (pattern: string): void => {
    const library = globSync(pattern, { cwd: base, absolute: true, dot: false });
    const found = filesMatching(pattern, base);
    expect(library, pattern).to.include.members(found);
    expect(found.map((path) => realpathSync(path)).sort(), pattern).to.deep.equal(
      [...new Set(library.map((path) => realpathSync(path)))].sort(),
    );
  };

  it('are those that the library finds', () => {
    for (const pattern of PATTERNS) both(pattern);
  });

  it('also with links among them', () => {
    symlinkSync(join(base, 'data/a.jsonl'), join(base, 'link.jsonl'));
    symlinkSync(join(base, 'data'), join(base, 'folder-link.jsonl'));
    symlinkSync('..', join(base, 'data/deep/loop'));
    for (const pattern of PATTERNS) both(pattern);
  });

  it('are found by many stars in no more time than by few', () => {
    const names = [
      `${'a'.repeat(60)}`,
      `${'ab'.repeat(20)}.jsonl`,
      'deep/aXbXcXd.jsonl',
      'deep/.aXbXcXd.jsonl',
    ];
    for (const name of names) {
      mkdirSync(join(base, 'stars', name, '..'), { recursive: true });
      writeFileSync(join(base, 'stars', name), '');
    }
    const found = (pattern: string): readonly string[] =>
      filesMatching(pattern, base).map((path) => path.slice(base.length + 1));
    expect(found(`stars/${'*a'.repeat(40)}*b.jsonl`)).to.deep.equal([]);
    expect(found(`stars/${'*a*b'.repeat(9)}*.jsonl`)).to.deep.equal([`stars/${'ab'.repeat(20)}.jsonl`]);
    expect(found('stars/**/*a*b*c*d.jsonl')).to.deep.equal(['stars/deep/aXbXcXd.jsonl']);
    expect(found('**/.*a*b*c*d.jsonl')).to.deep.equal(['stars/deep/.aXbXcXd.jsonl']);
    expect(found(join(base, 'st*rs/**/*a*b*c*d.js*l'))).to.deep.equal(['stars/deep/aXbXcXd.jsonl']);
    expect(found('st*a*r*')).to.deep.equal([]);
    expect(found('st*a*r*s')).to.have.members([...names.slice(0, 3).map((name) => `stars/${name}`)]);
    rmSync(join(base, 'stars'), { recursive: true });
  });

  it('are not looked for where that could take longer than anybody waits', () => {
    const refused = [
      '**/a/**/a/**/a/**/b',
      `${'{a,b}'.repeat(9)}`,
      '*(a|a)b',
      'a*b*c*d[ef]',
      '*'.padEnd(2_000, 'a'),
    ];
    for (const pattern of refused)
      expect(() => filesMatching(`${pattern}/*`, base), pattern)
        .to.throw(HostError)
        .with.property('code', 'too_many');
  });

  it('are named once, by their own path, where a link leads to them as well', () => {
    const names = filesMatching('**/*.jsonl', base).map((path) => path.slice(base.length + 1));
    expect(names.sort()).to.deep.equal([
      'a.jsonl',
      'b.jsonl',
      'data/a+b.jsonl',
      'data/a.jsonl',
      'data/deep/a.jsonl',
      'data/folder.jsonl/in.jsonl',
      'data/über.jsonl',
    ]);
  });

  it('include broken links, which must not be ignored silently', () => {
    symlinkSync('nowhere', join(base, 'data/deep/b.jsonl'));
    symlinkSync('c.jsonl', join(base, 'data/deep/c.jsonl'));
    const names = filesMatching('data/deep/*.jsonl', base).map((path) => path.slice(base.length + 1));
    expect(names.sort()).to.deep.equal(['data/deep/a.jsonl', 'data/deep/b.jsonl', 'data/deep/c.jsonl']);
  });
});
