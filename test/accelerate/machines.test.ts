/** A training on two nodes, and one that left as a folder: both give the adapter of two ranks on one machine. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../../src/compute/accelerate/free-port.js';
import { outputsOf, ownPipeline } from '../pipeline/run/adapter-folders.js';
import { writePipeline } from '../pipeline/run/pipelines.js';
import { type Ended, freshFolder, ftpc } from '../tools/cli/folders.js';
import { PYTHON, withPython } from './python.js';
import { apart } from './train/trained.js';

const TENSORS = 'adapter_model.safetensors';

withPython('a training on several machines', () => {
  let folder = '';
  let expected = '';

  before(async () => {
    folder = freshFolder();
    const one = project('one');
    const { code, err } = await run(one, '--devices', '2');
    expect(code, err).to.equal(0);
    expected = adapterIn(one);
  });

  function project(name: string): string {
    const path = join(folder, name);
    mkdirSync(path);
    writePipeline(path, { steps: 4 });
    return path;
  }

  const run = (path: string, ...words: readonly string[]): Promise<Ended> =>
    ftpc(path, ['run', 'tiny.ftp', '--engine', 'accelerate', ...words]);

  /** The file of the adapter that a project has trained. */
  function adapterIn(path: string): string {
    const store = join(path, '.ftp/store');
    const found = readdirSync(store).find((key) => readdirSync(join(store, key)).includes('adapter'));
    return join(store, found ?? '', 'adapter/best', TENSORS);
  }

  it('gives the same bytes on two nodes that share a folder', async () => {
    const two = project('two');
    const rendezvous = `127.0.0.1:${await freePort()}`;
    const node = (number: number): Promise<Ended> =>
      run(two, '--devices', '1', '--nodes', '2', '--node', `${number}`, '--rendezvous', rendezvous);
    const [other, first] = await Promise.all([node(1), node(0)]);
    expect(first.code, first.err).to.equal(0);
    expect(other.code, other.err).to.equal(0);
    expect(other.err + other.out).to.contain('joins the training as node 1 of 2');
    expect(readFileSync(adapterIn(two)).equals(readFileSync(expected))).to.equal(true);
  });

  it('gives the same tensors where it was ejected, and PEFT’s folder comes back', async () => {
    const three = project('three');
    const words = ['eject', 'tiny.ftp', 'training', '--devices', '2'];
    const ejected = await ftpc(three, words);
    expect(ejected.code, ejected.err).to.equal(0);
    const home = join(three, 'training');
    execFileSync('./run.sh', { cwd: home, env: { ...process.env, PYTHON }, stdio: 'pipe' });
    expect(apart(expected, join(home, 'trained/best', TENSORS))).to.equal(0);
    const [best, port] = [join(home, 'trained/best'), dirname(expected)];
    expect(readdirSync(best).sort()).to.deep.equal(readdirSync(port).sort());
    for (const name of ['adapter_config.json', 'training_prompt.json'])
      expect(readFileSync(join(best, name), 'utf8'), name).to.equal(readFileSync(join(port, name), 'utf8'));
    writeFileSync(
      join(three, 'own.ftp'),
      ownPipeline(readFileSync(join(three, 'tiny.ftp'), 'utf8'), 'training/trained/best'),
    );
    const ran = await ftpc(three, ['run', 'own.ftp', '--engine', 'accelerate']);
    expect(ran.code, ran.err).to.equal(0);
    const [own, trained] = [outputsOf(three), outputsOf(join(folder, 'one'))];
    expect(own.metrics).to.deep.equal(trained.metrics);
    expect(
      readFileSync(join(own.merged, 'model.safetensors')).equals(
        readFileSync(join(trained.merged, 'model.safetensors')),
      ),
    ).to.equal(true);
    execFileSync(
      'sed',
      ['-i', 's#lora = { rank: 2, alpha: 4 }#start = peft("training/trained/best")#', 'tiny.ftp'],
      { cwd: three },
    );
    const checked = await ftpc(three, ['plan', 'tiny.ftp']);
    expect(checked.code, checked.err).to.equal(0);
  });
});
