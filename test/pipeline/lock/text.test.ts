/** Locks as text: written, read, joined; and what others may have put into one. */
import { expect } from 'chai';
import { UserError } from '../../../src/language/diagnostics/types.js';
import type { Lock } from '../../../src/language/schemas/lock-file.js';
import { lockText, parseLock } from '../../../src/pipeline/lock/lock-text.js';
import { means, mergeLocks } from '../../../src/pipeline/lock/merge-locks.js';

const DIGEST = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);
const COMMIT = 'c'.repeat(40);
const file = { bytes: 8, sha256: DIGEST };

const lock: Lock = {
  version: 1,
  models: {
    starter: { files: { 'config.json': file } },
    'hf a/b@main': { commit: COMMIT, licence: 'mit', files: { 'x/y.json': file } },
  },
  data: { 'jsonl data/*.jsonl': { files: { 'data/b.jsonl': { ...file, rows: 2 }, 'data/a.jsonl': file } } },
  files: { 'prompts/a.md': file },
  modules: { 'std/data': { sha256: DIGEST } },
};

/** The lock of a text; throws the `UserError` that a command would end with. */
function lockOf(text: string): Lock {
  const lock = parseLock(text, 'p.lock');
  if ('code' in lock) throw new UserError(lock);
  return lock;
}

const codeOf = (text: string): string => {
  const lock = parseLock(text, 'p.lock');
  return 'code' in lock ? lock.code : '';
};
const withEntry = (entry: unknown): string =>
  JSON.stringify({ version: 1, models: { m: entry }, data: {}, files: {}, modules: {} });

describe('the text of a lock', () => {
  it('is sorted, has a line a file, and reads as it was', () => {
    const text = lockText(lock);
    expect(parseLock(text, 'p.lock')).to.deep.equal(lock);
    expect(lockText(lockOf(text))).to.equal(text);
    expect(text.split('\n').filter((line) => line.includes('"sha256"'))).to.have.lengthOf(6);
    expect(text.indexOf('"hf a/b@main"')).to.be.below(text.indexOf('"starter"'));
    expect(text.indexOf('data/a.jsonl')).to.be.below(text.indexOf('data/b.jsonl'));
  });

  it('may have other line ends, and a mark at its start', () => {
    const text = `\uFEFF${lockText(lock).replaceAll('\n', '\r\n')}`;
    expect(parseLock(text, 'p.lock')).to.deep.equal(lock);
  });

  it('with the marks of a merge is called so, with the line', () => {
    const lines = lockText(lock).split('\n');
    lines.splice(3, 0, '<<<<<<< HEAD', '=======', '>>>>>>> branch');
    expect(parseLock(lines.join('\r\n'), 'p.lock')).to.deep.include({
      code: 'FTP1421',
      at: { file: 'p.lock', line: 4, column: 1 },
    });
  });

  for (const [what, text] of [
    ['half a lock', lockText(lock).slice(0, 200)],
    ['a list', '[]'],
    ['another version', '{"version":2}'],
    ['no sections', '{"version":1}'],
    ['a model that is text', withEntry('x')],
    ['a commit that is a path', withEntry({ commit: '../../x', files: {} })],
    ['a digest that is none', withEntry({ files: { a: { bytes: 1, sha256: 'x' } } })],
    ['a size below nothing', withEntry({ files: { a: { bytes: -1, sha256: DIGEST } } })],
    ['a name that speaks to a terminal', withEntry({ files: {} }).replace('"m"', '"\\u001b[31m"')],
    ['a file above its folder', withEntry({ commit: COMMIT, files: { '../a': file } })],
    ['an absolute file', withEntry({ commit: COMMIT, files: { '/etc/passwd': file } })],
  ] as const)
    it(`is refused with ${what}`, () => expect(codeOf(text)).to.equal('FTP1420'));

  it('is no way to what every object has', () => {
    const text = withEntry({ files: {} }).replace('"m"', '"__proto__"');
    expect(Object.keys(lockOf(text).models)).to.deep.equal(['__proto__']);
    expect(({} as Record<string, unknown>)['files']).to.equal(undefined);
  });
});

describe('a lock joined with what is read now', () => {
  const changed: Lock = {
    ...lock,
    data: { 'jsonl data/*.jsonl': { files: { 'data/a.jsonl': { ...file, sha256: OTHER } } } },
    files: { 'prompts/b.md': file },
  };

  it('keeps what it has and adds what it lacks', () => {
    const joined = mergeLocks(lock, changed, { moves: () => false, only: false });
    expect(joined.added).to.deep.equal(['prompts/b.md']);
    expect(joined.differing).to.deep.equal(['jsonl data/*.jsonl']);
    expect(joined.lock.data).to.deep.equal(lock.data);
    expect(Object.keys(joined.lock.files)).to.deep.equal(['prompts/a.md', 'prompts/b.md']);
  });

  it('moves what is named, and drops what is not read only where all is moved', () => {
    const named = mergeLocks(lock, changed, { moves: (key) => means('data/*.jsonl', key), only: false });
    expect([named.moved, named.removed]).to.deep.equal([['jsonl data/*.jsonl'], []]);
    expect(named.lock.data).to.deep.equal(changed.data);
    const all = mergeLocks(lock, changed, { moves: () => true, only: true });
    expect([all.moved, all.removed]).to.deep.equal([['jsonl data/*.jsonl'], ['prompts/a.md']]);
    expect(all.lock).to.deep.equal(changed);
  });

  it('takes entries in another order for equal', () => {
    const joined = mergeLocks(lockOf(lockText(lock)), lock, { moves: () => true, only: true });
    expect([joined.added, joined.moved, joined.removed, joined.differing]).to.deep.equal([[], [], [], []]);
  });

  it('knows an entry by its key, by what it names, and by the repository', () => {
    for (const name of ['hf a/b@main', 'a/b@main', 'a/b'])
      expect(means(name, 'hf a/b@main'), name).to.equal(true);
    for (const name of ['b', 'hf', 'a/b@v1']) expect(means(name, 'hf a/b@main'), name).to.equal(false);
  });
});
