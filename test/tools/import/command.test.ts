import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { freshFolder, ftpc } from '../cli/folders.js';

const FILE =
  'base_model: acme/base\nadapter: lora\nlora_r: 8\nlora_alpha: 16\nlora_target_linear: true\nlearning_rate: 1e-4\ndatasets:\n  - {path: data/rows.jsonl, type: chat_template}\n';
const ROW = '{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}\n';

describe('ftpc import on the command line', () => {
  let folder = '';
  before(() => {
    folder = freshFolder();
    mkdirSync(join(folder, 'data'));
    mkdirSync(join(folder, 'pipelines'));
    writeFileSync(join(folder, 'data/rows.jsonl'), ROW);
    writeFileSync(join(folder, 'lora.yml'), FILE);
  });

  it('prints a pipeline that passes its check, and a summary for people', async () => {
    const { code, out, err } = await ftpc(folder, ['import', 'lora.yml']);
    expect([code, err]).to.deep.equal([0, '9 keys: 9 translated, 0 need nothing, 0 not translated\n']);
    writeFileSync(join(folder, 'printed.ftp'), out);
    expect((await ftpc(folder, ['check', 'printed.ftp'])).code).to.equal(0);
    expect((await ftpc(folder, ['fmt', '--check', 'printed.ftp'])).code).to.equal(0);
  });

  it('reads standard input', async () => {
    const { code, out } = await ftpc(folder, ['import', '-'], {}, FILE);
    expect(code).to.equal(0);
    expect(out).to.contain('jsonl("data/rows.jsonl")');
  });

  it('writes a file, whose paths start from its own folder, and overwrites none', async () => {
    const written = await ftpc(folder, ['import', 'lora.yml', '-o', 'pipelines/lora.ftp']);
    expect([written.code, written.out]).to.deep.equal([0, '']);
    expect(written.err).to.contain('now: ftpc check pipelines/lora.ftp');
    const text = readFileSync(join(folder, 'pipelines/lora.ftp'), 'utf8');
    expect(text).to.contain('jsonl("../data/rows.jsonl")');
    expect((await ftpc(folder, ['check', 'pipelines/lora.ftp'])).code).to.equal(0);
    const again = await ftpc(folder, ['import', 'lora.yml', '--devices', '2', '-o', 'pipelines/lora.ftp']);
    expect(again.code).to.equal(1);
    expect(again.err).to.contain('FTP1608');
    expect(readFileSync(join(folder, 'pipelines/lora.ftp'), 'utf8')).to.equal(text);
    const forced = await ftpc(folder, [
      'import',
      'lora.yml',
      '--devices',
      '2',
      '-o',
      'pipelines/lora.ftp',
      '--force',
    ]);
    expect(forced.code).to.equal(0);
    expect(readFileSync(join(folder, 'pipelines/lora.ftp'), 'utf8')).to.contain('global: 2');
  });

  it('says in JSON what became of every key', async () => {
    const { out } = await ftpc(folder, ['import', 'lora.yml', '--json']);
    const { version, tool, pipeline, keys, diagnostics } = JSON.parse(out);
    expect([version, tool, diagnostics]).to.deep.equal([1, 'axolotl', []]);
    expect(pipeline).to.contain('edition 2026');
    expect(keys).to.deep.include({ key: 'lora_r', status: 'translated', value: '8' });
  });

  it('writes nothing where something is wrong', async () => {
    writeFileSync(join(folder, 'grpo.yml'), `${FILE}rl: grpo\n`);
    const { code, out, err } = await ftpc(folder, ['import', 'grpo.yml', '-o', 'grpo.ftp']);
    expect([code, out, existsSync(join(folder, 'grpo.ftp'))]).to.deep.equal([1, '', false]);
    expect(err).to.contain('FTP1605').and.contain('grpo.yml:9:1');
  });

  it('asks for what it needs', async () => {
    expect((await ftpc(folder, ['import', 'missing.yml'])).err).to.contain('FTP0601');
    expect((await ftpc(folder, ['import', 'data'])).err).to.contain('FTP0602');
    expect((await ftpc(folder, ['import', 'lora.yml', '--devices', '0'])).err).to.contain('at least 1');
    expect((await ftpc(folder, ['import', 'lora.yml', '--from', 'axlotl'])).err).to.contain(
      'did you mean `axolotl`?',
    );
  });
});
