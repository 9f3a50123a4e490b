import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Diagnostic } from '../../../src/language/diagnostics/types.js';
import { BEGUN_FILE } from '../../../src/language/ir/outputs.js';
import {
  openStore,
  outputFolder,
  outputPath,
  type Store,
  type StoreEntry,
  workFolder,
} from '../../../src/pipeline/store/index.js';
import { freshFolder } from './folders.js';

const KEY = 'a'.repeat(64);

function sealOne(
  store: Store,
  key = KEY,
  outputs: Readonly<Record<string, string>> = { rows: 'rows.jsonl' },
): StoreEntry {
  const folder = store.begin(key);
  const output = outputFolder(folder);
  output.write('rows.jsonl', '{"a":1}\n');
  const file = output.open('deep/er/lines.txt');
  file.write('one\n');
  file.write(new TextEncoder().encode('two\n'));
  file.close();
  return store.seal(folder, {
    kind: 'data',
    key,
    parts: { kind: 'data' },
    result: { outputs, metrics: { rows: 1 } },
    seconds: 0.5,
    peakMemoryBytes: 1000,
  });
}

describe('store', () => {
  it('shows an entry only when it is sealed, with the digest of each file', () => {
    const cwd = freshFolder();
    const store = openStore(cwd);
    const folder = store.begin(KEY);
    outputFolder(folder).write('rows.jsonl', 'x');
    expect(store.find(KEY)).to.equal(undefined);
    expect(existsSync(join(cwd, '.ftp/store', KEY))).to.equal(false);
    const entry = sealOne(store);
    expect(entry.path).to.equal(join(cwd, '.ftp/store', KEY));
    expect(store.find(KEY)?.record).to.deep.equal(entry.record);
    expect(Object.keys(entry.record.files)).to.deep.equal(['deep/er/lines.txt', 'rows.jsonl']);
    // sha256sum of '{"a":1}\n'
    expect(entry.record.files['rows.jsonl']).to.deep.equal({
      bytes: 8,
      sha256: 'e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c',
    });
    expect(readFileSync(join(entry.path, 'deep/er/lines.txt'), 'utf8')).to.equal('one\ntwo\n');
  });

  for (const [what, harm] of [
    ['a truncated file', (path: string) => truncateSync(join(path, 'rows.jsonl'), 3)],
    ['a changed byte', (path: string) => writeFileSync(join(path, 'rows.jsonl'), '{"a":2}\n')],
    ['a torn record', (path: string) => truncateSync(join(path, 'stage.json'), 20)],
    [
      'a record with another metric',
      (path: string) => {
        const record = join(path, 'stage.json');
        const text = readFileSync(record, 'utf8');
        expect(text).to.include('"rows": 1');
        writeFileSync(record, text.replace('"rows": 1', '"rows": 9'));
      },
    ],
    [
      'a record whose parts nest without end',
      (path: string) => {
        const record = join(path, 'stage.json');
        const { check: _, ...sound } = JSON.parse(readFileSync(record, 'utf8'));
        const deep = '['.repeat(100_000) + ']'.repeat(100_000);
        const text = JSON.stringify({ ...sound, parts: { ...sound.parts, 'settings.deep': 'DEEP' } });
        writeFileSync(record, text.replace('"DEEP"', deep));
      },
    ],
    ['a record without a result', (path: string) => writeFileSync(join(path, 'stage.json'), '{"version":1}')],
  ] as const)
    it(`takes ${what} for damage, says so, and removes the entry`, () => {
      const store = openStore(freshFolder());
      const { path } = sealOne(store);
      harm(path);
      expect(store.find(KEY), 'a look alone removes nothing').to.equal(undefined);
      expect(existsSync(path)).to.equal(true);
      const found: Diagnostic[] = [];
      expect(store.find(KEY, { remove: (damage) => found.push(damage) })).to.equal(undefined);
      expect(found.map(({ code }) => code)).to.deep.equal(['FTP0802']);
      expect(existsSync(path)).to.equal(false);
      sealOne(store);
      expect(store.find(KEY)).to.not.equal(undefined);
    });

  it('does not serve an entry under another key, nor one whose release was taken away', () => {
    const cwd = freshFolder();
    const store = openStore(cwd);
    const release = join(cwd, 'releases/1');
    mkdirSync(release, { recursive: true });
    sealOne(store, KEY, { release });
    expect(store.find(KEY)).to.not.equal(undefined);
    openStore(join(cwd, 'elsewhere'));
    const other = 'b'.repeat(64);
    mkdirSync(join(cwd, '.ftp/store', other));
    writeFileSync(
      join(cwd, '.ftp/store', other, 'stage.json'),
      readFileSync(join(cwd, '.ftp/store', KEY, 'stage.json')),
    );
    expect(store.find(other)).to.equal(undefined);
    const gone = join(cwd, 'releases/2');
    sealOne(store, 'c'.repeat(64), { release: gone });
    expect(store.find('c'.repeat(64))).to.equal(undefined);
  });

  it('notices a release that was changed in place, and leaves it where it is', () => {
    const cwd = freshFolder();
    const store = openStore(cwd);
    const release = join(cwd, 'releases/1');
    const weights = join(release, 'model.bin');
    mkdirSync(release, { recursive: true });
    writeFileSync(weights, 'weights');
    const { record } = sealOne(store, KEY, { release });
    expect(record.result.outputs['release']).to.equal('../../../releases/1');
    const later = new Date(Date.now() + 5_000);
    utimesSync(weights, later, later);
    expect(store.find(KEY), 'only its time changed').to.not.equal(undefined);
    writeFileSync(weights, 'WEIGHTS');
    const found: Diagnostic[] = [];
    expect(store.find(KEY, { report: (damage) => found.push(damage) })).to.equal(undefined);
    expect(found.map(({ code, message }) => [code, message])).to.deep.equal([
      [
        'FTP1440',
        '`releases/1` no longer matches what was published: `model.bin` does not have the content that was written',
      ],
    ]);
    expect(readFileSync(weights, 'utf8')).to.equal('WEIGHTS');
  });

  it('finds the release of a project that was moved', () => {
    const cwd = freshFolder();
    const release = join(cwd, 'here/releases/1');
    mkdirSync(release, { recursive: true });
    writeFileSync(join(release, 'model.bin'), 'weights');
    sealOne(openStore(join(cwd, 'here')), KEY, { release });
    cpSync(join(cwd, 'here'), join(cwd, 'there'), { recursive: true });
    rmSync(join(cwd, 'here'), { recursive: true });
    const moved = openStore(join(cwd, 'there')).find(KEY);
    expect(outputPath(moved?.path ?? '', moved?.record.result.outputs['release'] ?? '')).to.equal(
      join(cwd, 'there/releases/1'),
    );
  });

  it('sweeps what killed runs left, and keeps complete entries and checkpoints', async () => {
    const store = openStore(freshFolder());
    sealOne(store);
    const left = store.begin('d'.repeat(64));
    const begun = 'e'.repeat(64);
    const empty = 'f'.repeat(64);
    for (const key of [KEY, begun])
      await workFolder(store.workPath(key), () => {}).commit('step-1', { x: 'x' });
    mkdirSync(join(store.workPath(empty), '.unfinished-step-1'), { recursive: true });
    for (const key of [begun, empty]) store.noteBegun({ key, parts: { kind: '"train"' } });
    store.sweep();
    expect(existsSync(left)).to.equal(false);
    expect(existsSync(store.workPath(begun)), 'of a stage that is not complete').to.equal(true);
    expect(existsSync(store.workPath(KEY)), 'of a stage that is').to.equal(false);
    expect(existsSync(store.workPath(empty)), 'without a checkpoint').to.equal(false);
    expect(store.entries().map(({ key }) => key)).to.deep.equal([KEY]);
  });

  it('says what the keys of stages that were begun were made of, as long as that is as it was written', () => {
    const store = openStore(freshFolder());
    const begun = { key: KEY, parts: { 'chosen.headChunk': '256' } };
    expect(store.begun()).to.deep.equal([]);
    store.noteBegun(begun);
    const found = [{ key: KEY, parts: { 'chosen.logitsChunk': '256' } }];
    expect(store.begun(), 'a field of an earlier version has its name of today').to.deep.equal(found);
    expect(store.resumable(KEY), 'it is no checkpoint').to.equal(false);
    const file = join(store.workPath(KEY), BEGUN_FILE);
    writeFileSync(file, readFileSync(file, 'utf8').replace('256', '255'));
    expect(store.begun()).to.deep.equal([]);
  });

  it('lets no output leave its folder', () => {
    const output = outputFolder(freshFolder());
    for (const name of ['../x', '/etc/x', 'a/../../x', '.'])
      expect(() => output.write(name, 'x'), name).to.throw('inside its folder');
  });
});
