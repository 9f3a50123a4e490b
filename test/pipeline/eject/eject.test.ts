/** `ftpc eject` without Python: what is in the folder, and what is refused. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import { openSafetensors } from '../../../src/compute/models/safetensors/read.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { type Ended, freshFolder, ftpc } from '../../tools/cli/folders.js';
import { writePipeline } from '../run/pipelines.js';

describe('ftpc eject', () => {
  let folder = '';
  const eject = (...words: readonly string[]): Promise<Ended> =>
    ftpc(folder, ['eject', 'tiny.ftp', ...words], { XDG_CACHE_HOME: join(folder, 'cache'), FTPC_PYTHON: '' });
  const read = (...names: readonly string[]): string => readFileSync(join(folder, ...names), 'utf8');
  const edit = (from: string | RegExp, to: string): void =>
    writeFileSync(join(folder, 'tiny.ftp'), read('tiny.ftp').replace(from, to));

  before(() => {
    folder = freshFolder();
  });
  beforeEach(() => {
    writePipeline(folder, { steps: 4 });
  });

  it('writes rows, steps, driver and scripts, with paths that any machine has', async () => {
    const { code, err } = await eject('out', '--machine', 'h100-80gb', '--devices', '8', '--nodes', '2');
    expect(code, err).to.equal(0);
    expect(readdirSync(join(folder, 'out')).sort()).to.deep.equal([
      'README.md',
      'adapter',
      'base',
      'companions',
      'ftpc_driver',
      'job.sbatch',
      'job.yaml',
      'requirements',
      'rows.safetensors',
      'run.sh',
      'spec.json',
      'steps.jsonl',
      'validation.safetensors',
    ]);
    const spec = JSON.parse(read('out', 'spec.json'));
    expect(spec).to.deep.include({ folder: '.', world: 16, device: 'cuda', steps: 'steps.jsonl' });
    expect(readdirSync(join(folder, 'out/companions'))).to.deep.equal(['training_prompt.json']);
    expect(spec.rows).to.deep.equal({ file: 'rows.safetensors' });
    expect(spec.adapter).to.deep.equal({ folder: 'adapter' });
    expect(spec.model.folder).to.equal('base');
    expect(read('out', 'spec.json')).not.to.contain(folder);
    expect(read('out', 'steps.jsonl').trim().split('\n').length).to.equal(4);
    expect(existsSync(join(folder, 'out/base/model.safetensors'))).to.equal(true);
    const rows = openSafetensors(nodeHost(folder), join(folder, 'out/rows.safetensors'));
    expect([...rows.tensors.keys()].sort()).to.deep.equal(['ids', 'labels', 'offsets']);
  });

  it('writes scripts that a shell and Kubernetes can read', async () => {
    const out = 'all scripts';
    const { code, err } = await eject(out, '--nodes', '2');
    expect(code, err).to.equal(0);
    expect(err).to.contain("\n  cd 'all scripts'\n");
    for (const name of ['run.sh', 'job.sbatch']) execFileSync('bash', ['-n', join(folder, out, name)]);
    expect(statSync(join(folder, out, 'run.sh')).mode & 0o111).to.equal(0o111);
    expect(read(out, 'run.sh')).to.contain('--nnodes 2');
    const [service, job] = parseAllDocuments(read(out, 'job.yaml')).map((one) => one.toJS());
    expect([service.kind, job.kind, job.spec.completions]).to.deep.equal(['Service', 'Job', 2]);
  });

  it('makes the weights of a base that has none yet', async () => {
    edit(/(train adapter \{\n {2}base = )local\("model"\)/, '$1untrained("model", seed: 3)');
    edit(/\neval [\s\S]*/, '\n');
    edit('import { exact_match, perplexity } from "std/eval"\n', '');
    const { code, err } = await eject('made');
    expect(code, err).to.equal(0);
    const { tensors } = openSafetensors(nodeHost(folder), join(folder, 'made/base/model.safetensors'));
    expect(tensors.size).to.be.above(10);
  });

  it('takes along a base that gets special tokens, with a row for each', async () => {
    edit(/local\("model"\)/g, 'local("model", special_tokens: ["<a>"])');
    const { code, err } = await eject('tokens');
    expect(code, err).to.equal(0);
    const { tensors } = openSafetensors(nodeHost(folder), join(folder, 'tokens/base/model.safetensors'));
    expect(tensors.get('model.embed_tokens.weight')?.shape).to.deep.equal([260, 32]);
    expect(read('tokens', 'base/tokenizer.json')).to.contain('"<a>"');
    expect(JSON.parse(read('tokens', 'companions/special_tokens.json')).special_tokens).to.deep.equal([
      '<a>',
    ]);
  });

  it('writes what the reference of preferences is asked', async () => {
    const answers = [0, 1, 2, 3].map((row) => ({ prompt: `${row}?`, chosen: 'yes', rejected: `no ${row}` }));
    writeFileSync(join(folder, 'data/rows.jsonl'), answers.map((row) => `${JSON.stringify(row)}\n`).join(''));
    edit('template = chat()', 'template = preference()');
    edit('import { chat }', 'import { preference }');
    edit(/ {2}split = .*\n {2}require .*\n/, '');
    edit(
      / {2}dataset = dialogs.train\n {2}validate = .*\n/,
      '  dataset = dialogs.all\n  objective = dpo(beta: 0.1)\n',
    );
    edit(/\neval [\s\S]*/, '\n');
    edit('import { exact_match, perplexity } from "std/eval"\n', '');
    const { code, err } = await eject('compared');
    expect(code, err).to.equal(0);
    const spec = JSON.parse(read('compared', 'spec.json'));
    expect(spec.preferences).to.deep.equal({
      objective: { kind: 'dpo', beta: 0.1, loss: 'sigmoid', label_smoothing: 0, sft: 0 },
      limit: 128,
      other: null,
      reference: { file: 'reference-train.jsonl', pairs: 8, folder: 'references/lora-128-train' },
      validation_reference: null,
    });
    const asked = JSON.parse(read('compared', 'reference-train.jsonl')).flat();
    expect(asked.length).to.equal(8);
    const { tensors } = openSafetensors(nodeHost(folder), join(folder, 'compared/rows.safetensors'));
    expect([...tensors.keys()].sort()).to.deep.equal(['answers', 'ids', 'labels', 'offsets']);
    expect(read('compared', 'README.md')).to.contain('reference-….jsonl');
  });

  it('leaves nothing where it is refused', async () => {
    edit('lora = { rank: 2', 'lora = { init: pissa, rank: 2');
    const { code, err } = await eject('refused');
    expect(code, err).to.equal(1);
    expect(err).to.contain('FTP1901');
    expect(readdirSync(folder).filter((name) => name.includes('refused'))).to.deep.equal([]);
  });

  it('overwrites nothing', async () => {
    mkdirSync(join(folder, 'full'), { recursive: true });
    writeFileSync(join(folder, 'full', 'notes.txt'), 'mine\n');
    const { code, err } = await eject('full');
    expect([code, err]).to.deep.equal([
      1,
      'error: `full` is there already: name a folder that does not exist, or is empty\nrun `ftpc eject --help` for what it takes\n',
    ]);
    expect(readdirSync(join(folder, 'full'))).to.deep.equal(['notes.txt']);
  });

  it('says before anything is made why there can be no such folder', async () => {
    const { code, err } = await eject('tiny.ftp/out');
    expect(code).to.equal(1);
    expect(err).to.match(/^error: `tiny\.ftp\/out` cannot be a folder, as `tiny\.ftp` is a file\n/);
  });

  it('names the train stages there are', async () => {
    const { code, err } = await eject('other', '--stage', 'adaptr');
    expect(code).to.equal(1);
    expect(err).to.match(/no train stage `adaptr`|did you mean `adapter`/);
  });
});
