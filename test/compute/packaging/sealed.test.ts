import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { checkSealed, verifying } from '../../../src/compute/packaging/sealed.js';
import type { Diagnostic } from '../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { listReleases, verifyRelease } from '../../../src/pipeline/deploy/releases.js';
import { openStore, outputFolder, workFolder } from '../../../src/pipeline/store/index.js';
import { access, codeOf, publishContent } from '../../pipeline/deploy/releases-fixture.js';
import { freshFolder } from '../../pipeline/store/folders.js';

const KEY = 'a'.repeat(64);
/** More than one chunk. */
const LARGE = 'x'.repeat(2 ** 20 + 5);

/** At the ends, and in the middle. */
function placesIn(file: string): readonly number[] {
  const { size } = statSync(file);
  return [0, 1, Math.floor(size / 2), Math.max(0, size - 3)];
}

/** Does something while one bit of a file is flipped, whose time is kept. */
function whileFlipped(path: string, at: number, work: () => void): void {
  const { atime, mtime } = statSync(path);
  const sound = readFileSync(path);
  const rotten = Buffer.from(sound);
  rotten[at] = (rotten[at] ?? 0) ^ 1;
  for (const [bytes, act] of [
    [rotten, work],
    [sound, () => {}],
  ] as const) {
    writeFileSync(path, bytes);
    utimesSync(path, atime, mtime);
    act();
  }
}

function sealed(cwd: string, outputs: Readonly<Record<string, string>> = { rows: 'rows.jsonl' }) {
  const store = openStore(cwd);
  const folder = store.begin(KEY);
  const output = outputFolder(folder);
  output.write('rows.jsonl', '{"a":1}\n');
  output.write('adapter/weights.bin', LARGE);
  const result = { outputs, metrics: { rows: 1 } };
  const parts = { kind: 'data' };
  const entry = store.seal(folder, { kind: 'data', key: KEY, parts, result, seconds: 1, peakMemoryBytes: 1 });
  return { store, path: entry.path };
}

describe('rot in what was sealed', () => {
  it('in a stored output is found as the file is read, and by a look, wherever the bit is', () => {
    const cwd = freshFolder();
    const { store, path } = sealed(cwd);
    const host = nodeHost(cwd);
    for (const name of ['rows.jsonl', 'adapter/weights.bin', 'stage.json']) {
      const file = join(path, name);
      for (const at of placesIn(file))
        whileFlipped(file, at, () => {
          const where = `${name}, byte ${at}`;
          expect(
            codeOf(() => verifying(host).readBytes(join(path, 'rows.jsonl'), 0, 1)),
            where,
          ).to.equal(name === 'adapter/weights.bin' ? 'none' : 'FTP1441');
          expect(
            codeOf(() => verifying(host).readBytes(join(path, 'adapter/weights.bin'), at, 1)),
            where,
          ).to.equal(name === 'rows.jsonl' ? 'none' : 'FTP1441');
          expect(
            codeOf(() => checkSealed(host, join(path, 'adapter'))),
            where,
          ).to.equal('FTP1441');
          expect(store.find(KEY), where).to.equal(undefined);
        });
    }
    expect(codeOf(() => checkSealed(host, path))).to.equal('none');
    expect(store.find(KEY)).not.to.equal(undefined);
  });

  it('takes a stored output away, which its stage then makes again', () => {
    const cwd = freshFolder();
    const { store, path } = sealed(cwd);
    whileFlipped(join(path, 'adapter/weights.bin'), 2 ** 20 + 1, () => {
      const found: Diagnostic[] = [];
      expect(store.find(KEY, { verify: true, remove: (damage) => found.push(damage) })).to.equal(undefined);
      expect(found.map(({ code, message }) => [code, message.replace(/.*: /, '')])).to.deep.equal([
        [
          'FTP0802',
          '`adapter/weights.bin` does not have the content that was written (between bytes 1048576 and 1048581)',
        ],
      ]);
      mkdirSync(join(path, 'adapter'), { recursive: true });
    });
    sealed(cwd);
    expect(store.find(KEY)).not.to.equal(undefined);
  });

  it('in a release is found by a question, a look, and the run that published it', async () => {
    const cwd = freshFolder();
    const { path } = await publishContent(cwd, LARGE.slice(0, 100));
    const { store } = sealed(cwd, { release: path });
    const host = nodeHost(cwd);
    expect(codeOf(() => checkSealed(host, path))).to.equal('none');
    for (const name of ['model.safetensors', 'config.json', 'deep/tokenizer.json', 'manifest.json']) {
      const file = join(path, name);
      for (const at of placesIn(file))
        whileFlipped(file, at, () => {
          const where = `${name}, byte ${at}`;
          expect(
            codeOf(() => checkSealed(host, path)),
            where,
          ).to.equal('FTP1442');
          expect(
            codeOf(() => verifying(host).readBytes(file)),
            where,
          ).to.equal('FTP1442');
          expect(verifyRelease(access, join(cwd, 'releases'), 1).holds, where).to.equal(false);
          const found: Diagnostic[] = [];
          expect(store.find(KEY, { report: (damage) => found.push(damage) }), where).to.equal(undefined);
          expect(found.map(({ code }) => code)).to.deep.equal(['FTP1440']);
        });
    }
    expect(listReleases(access, join(cwd, 'releases'))).to.have.lengthOf(1);
    writeFileSync(join(path, 'chat_template.jinja'), 'added');
    expect(codeOf(() => verifying(host).readText(join(path, 'chat_template.jinja')))).to.equal('FTP1442');
  });

  it('in a checkpoint is found at every byte of every file', async () => {
    const folder = freshFolder();
    const commit = { 'state.bin': 'abc'.repeat(20), 'deep/step.json': '{"step":1}' };
    await workFolder(folder, () => {}).commit('step-1', commit);
    for (const name of ['state.bin', 'deep/step.json', 'commit.json']) {
      const file = join(folder, 'step-1', name);
      for (let at = 0; at < statSync(file).size; at++)
        whileFlipped(file, at, () => {
          const found: Diagnostic[] = [];
          const committed = workFolder(folder, (damage) => found.push(damage)).committed();
          if (name === 'commit.json' && committed.length > 0) return;
          expect(committed, `${name}, byte ${at}`).to.deep.equal([]);
          expect(found.map(({ code }) => code)).to.deep.equal(['FTP0803']);
        });
    }
    expect(workFolder(folder, () => {}).committed()).to.deep.equal(['step-1']);
  });

  it('leaves manifests of other programs alone', () => {
    const cwd = freshFolder();
    writeFileSync(join(cwd, 'manifest.json'), '{"files": {"a": 1}, "version": 7}');
    writeFileSync(join(cwd, 'stage.json'), 'not ours');
    expect(codeOf(() => checkSealed(nodeHost(cwd), cwd))).to.equal('none');
    expect(verifying(nodeHost(cwd)).readText(join(cwd, 'stage.json'))).to.equal('not ours');
  });
});
