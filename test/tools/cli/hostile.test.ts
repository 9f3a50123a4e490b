/** What a user can do wrong, through the command line: a sentence with a code, the right exit code, nothing half done. */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { execa } from 'execa';
import { checkedText } from '../../../src/language/host/self-check.js';
import { sealFile } from '../../../src/pipeline/store/digest.js';
import { fewestOpenFiles } from '../../helpers/open-files.js';
import { writePipeline } from '../../pipeline/run/pipelines.js';
import { type Ended, freshFolder, ftpc, objects } from './folders.js';

/** No trace and no excuse on either stream. */
function isSentence({ code, out, err }: Ended): void {
  expect(code).to.equal(1);
  expect(`${out}${err}`).to.not.match(/bug in ftpc|^ {4}at /m);
}

/** Codes of the diagnostics of a run that ends as a run should. */
function codesOf({ out }: Ended): readonly unknown[] {
  const lines = objects(out);
  expect(lines[0]).to.include({ type: 'run.started' });
  expect(lines.at(-1)).to.include({ type: 'run.finished', status: 'failed' });
  return lines.filter(({ type }) => type === 'diagnostic').map(({ code }) => code);
}

describe('a hostile user', () => {
  let folder = '';
  before(() => {
    folder = freshFolder();
    writePipeline(folder, { steps: 2 });
  });

  /** Another pipeline in the folder: the same with `from` replaced. */
  function variant(name: string, from: string | RegExp, to: string): string {
    writeFileSync(join(folder, name), readFileSync(join(folder, 'tiny.ftp'), 'utf8').replace(from, to));
    return name;
  }

  it('gives nearly a megabyte of garbage as a pipeline', async () => {
    writeFileSync(join(folder, 'garbage.ftp'), '}@ $!\u001b[31m x=;\n'.repeat(60_000));
    const checked = await ftpc(folder, ['check', 'garbage.ftp']);
    isSentence(checked);
    expect(checked.err)
      .to.match(/error\[FTP0608\]: .* has at least \d+ more mistakes/)
      .and.to.not.contain('\u001b');
    expect(checked.err.length).to.be.below(200_000);
  });

  it('allows few open files', async () => {
    const main = fileURLToPath(new URL('../../../bin/main.js', import.meta.url));
    const { exitCode, stderr } = await execa(
      'sh',
      ['-c', `ulimit -n ${fewestOpenFiles()}; exec "$0" "$@"`, process.execPath, main, 'run', 'tiny.ftp'],
      { cwd: folder, reject: false },
    );
    expect(exitCode).to.equal(1);
    expect(stderr).to.match(
      /^error\[FTP0896\]: more files are open than .*\n {2}= help: raise the limit and run again: `ulimit -n 1024`/,
    );
  });

  it('sets a parameter that every object has', async () => {
    const checked = await ftpc(folder, ['check', 'tiny.ftp', '-p', '__proto__=1']);
    isSentence(checked);
    expect(checked.err).to.contain('FTP0501');
  });

  const noModels: readonly (readonly [folder: string, code: string])[] = [
    ['nothing', 'FTP0831'],
    ['data', 'FTP0831'],
    ['tiny.ftp', 'FTP08'],
  ];
  for (const [name, code] of noModels)
    it(`asks ${name}, which is no model`, async () => {
      const asked = await ftpc(folder, ['generate', name, 'Why?', '--json']);
      isSentence(asked);
      expect(asked.out).to.equal('');
      expect(asked.err).to.contain(`error[${code}`).and.to.contain('help:');
    });

  it('asks more than the model can read', async () => {
    const asked = await ftpc(folder, ['generate', 'model', 'Why? '.repeat(100)]);
    isSentence(asked);
    expect(asked.err).to.contain('FTP0707').and.to.contain('128');
  });

  it('asks a model whose weights are no numbers', async () => {
    const model = join(folder, 'nan');
    cpSync(join(folder, 'model'), model, { recursive: true });
    const weights = readFileSync(join(model, 'model.safetensors'));
    weights.fill(0xff, 8 + Number(weights.readBigUInt64LE(0)));
    writeFileSync(join(model, 'model.safetensors'), weights);
    const asked = await ftpc(folder, ['generate', 'nan', 'Why?']);
    isSentence(asked);
    expect(asked.out).to.equal('');
    expect(asked.err).to.contain('FTP0706');
  });

  const broken: readonly (readonly [what: string, code: string, breakIt: (model: string) => void])[] = [
    ['weights cut short', 'FTP0834', (model) => truncateSync(join(model, 'model.safetensors'), 50_000)],
    [
      'an index that leads outside',
      'FTP0834',
      (model) => {
        rmSync(join(model, 'model.safetensors'));
        writeFileSync(
          join(model, 'model.safetensors.index.json'),
          JSON.stringify({ weight_map: { 'model.norm.weight': '../../../etc/passwd' } }),
        );
      },
    ],
    [
      'another architecture',
      'FTP0832',
      (model) => writeFileSync(join(model, 'config.json'), '{"model_type":"mamba"}'),
    ],
    [
      'a device for a config',
      'FTP0833',
      (model) => {
        rmSync(join(model, 'config.json'));
        symlinkSync('/dev/zero', join(model, 'config.json'));
      },
    ],
    ['a config of lists', 'FTP0833', (model) => writeFileSync(join(model, 'config.json'), '[[[')],
  ];
  for (const [what, code, breakIt] of broken)
    it(`trains on a base with ${what}`, async () => {
      const work = join(folder, what.replaceAll(' ', '-'));
      mkdirSync(work);
      writePipeline(work, { steps: 2 });
      breakIt(join(work, 'model'));
      const ran = await ftpc(work, ['run', 'tiny.ftp', '--json']);
      isSentence(ran);
      expect(codesOf(ran)).to.deep.equal([code]);
      expect(readdirSync(join(work, '.ftp'))).to.not.include('store');
    });

  it('lets no row fit, and repairs it', async () => {
    const short = variant('short.ftp', '128tok', '8tok');
    const ran = await ftpc(folder, ['run', short, '--json']);
    isSentence(ran);
    // The plan has seen it: nothing has run.
    expect(codesOf(ran)).to.include('FTP0622');
    expect(readdirSync(join(folder, '.ftp'))).to.not.include('store');
    const repaired = await ftpc(folder, ['preview', 'tiny.ftp', 'dialogs', '--json']);
    expect(repaired.code).to.equal(0);
    expect(JSON.parse(repaired.out).rows).to.have.lengthOf(3);
  });

  it('damages what a run has stored, and runs again', async () => {
    const store = join(folder, '.ftp/store');
    for (const key of readdirSync(store))
      copyFileSync(join(folder, 'tiny.ftp'), join(store, key, 'stage.json'));
    const again = await ftpc(folder, ['preview', 'tiny.ftp', 'dialogs', '--json']);
    expect(again.code).to.equal(0);
    expect(again.err).to.contain('FTP0802');
    expect(JSON.parse(again.out).rows).to.have.lengthOf(3);
  });

  it('looks at rows of a large output of which a bit was flipped @long', async () => {
    // alone or after the others: with an output
    expect((await ftpc(folder, ['preview', 'tiny.ftp', 'dialogs'])).code).to.equal(0);
    const rows = join(folder, '.ftp/store');
    const path = readdirSync(rows)
      .map((key) => join(rows, key))
      .find((entry) => existsSync(join(entry, 'all.tokens.bin')));
    if (path === undefined) throw new Error('no output of a format stage');
    // an output that is looked up by its sizes alone
    writeFileSync(join(path, 'large.bin'), '');
    truncateSync(join(path, 'large.bin'), 65 * 2 ** 20);
    const record = join(path, 'stage.json');
    const { check: _, ...sound } = JSON.parse(readFileSync(record, 'utf8'));
    const files = { ...sound.files, 'large.bin': sealFile(join(path, 'large.bin')) };
    writeFileSync(record, checkedText({ ...sound, files }));
    const tokens = join(path, 'all.tokens.bin');
    const { atime, mtime } = statSync(tokens);
    const bytes = readFileSync(tokens);
    bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0);
    writeFileSync(tokens, bytes);
    utimesSync(tokens, atime, mtime);
    const looked = await ftpc(folder, ['preview', 'tiny.ftp', 'dialogs']);
    isSentence(looked);
    expect(looked.err).to.match(/FTP1441.*`all\.tokens\.bin` does not have the content that was written/s);
    const verified = await ftpc(folder, ['run', 'tiny.ftp', '--verify', '--json']);
    expect(verified.out).to.contain('FTP0802');
    expect((await ftpc(folder, ['preview', 'tiny.ftp', 'dialogs'])).code).to.equal(0);
  });

  it('puts a file where ftpc keeps its folder', async () => {
    rmSync(join(folder, '.ftp'), { recursive: true });
    writeFileSync(join(folder, '.ftp'), 'mine');
    const ran = await ftpc(folder, ['run', 'tiny.ftp', '--json']);
    isSentence(ran);
    expect(codesOf(ran)).to.deep.equal(['FTP0801']);
    expect(ran.out).to.contain('a file is where a folder is needed');
    expect(readFileSync(join(folder, '.ftp'), 'utf8')).to.equal('mine');
  });
});
