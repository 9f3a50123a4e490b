/** An adapter that a training saved, named by its folder: it merges, evaluates and is released as the port of its training. */
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { freshFolder, ftpc } from '../../tools/cli/folders.js';
import { outputsOf, ownPipeline } from './adapter-folders.js';
import { writePipeline } from './pipelines.js';

describe('an adapter of a folder', () => {
  const folder = freshFolder();
  const at = (...names: readonly string[]): string => join(folder, ...names);

  it('gives the same merged files and the same figures as the port of its training', async () => {
    writePipeline(folder, { steps: 2, gate: '> 0' });
    const first = await ftpc(folder, ['run', 'tiny.ftp']);
    expect(first.code, first.err).to.equal(0);
    const trained = outputsOf(folder);
    cpSync(join(trained.adapter, 'best'), at('adapters/own'), { recursive: true });
    writeFileSync(at('own.ftp'), ownPipeline(readFileSync(at('tiny.ftp'), 'utf8'), 'adapters/own'));
    const second = await ftpc(folder, ['run', 'own.ftp', '--store', at('second')]);
    expect(second.code, second.err).to.equal(0);
    const own = outputsOf(folder, 'second/store');
    expect(own.metrics).to.deep.equal(trained.metrics);
    for (const name of readdirSync(trained.merged).filter((name) => name !== 'README.md'))
      expect(
        readFileSync(join(own.merged, name)).equals(readFileSync(join(trained.merged, name))),
        name,
      ).to.equal(true);
    expect(readFileSync(join(own.merged, 'README.md'), 'utf8')).to.contain('| Adapter | adapters/own |');
  });

  it('is named by the release, with a digest of the files that were merged', () => {
    const { adapter, answers } = JSON.parse(readFileSync(at('releases/own/0001/manifest.json'), 'utf8'));
    const files = ['adapter_config.json', 'adapter_model.safetensors', 'training_prompt.json'];
    const digest = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
    const lines = files.map((name) => `${digest(readFileSync(at('adapters/own', name)))}  ${name}\n`);
    expect(adapter).to.deep.equal({ folder: 'adapters/own', sha256: digest(lines.sort().join('')) });
    // the evaluation is of the adapter that was merged
    expect(Object.keys(answers)).to.deep.equal(['quality']);
  });

  it('runs again when its weights change, and says so', async () => {
    const path = at('adapters/own/adapter_model.safetensors');
    const weights = readFileSync(path);
    weights.writeFloatLE(0.25, weights.length - 4);
    writeFileSync(path, weights);
    const { code, out, err } = await ftpc(folder, ['plan', 'own.ftp', '--store', at('second')]);
    expect(code, err).to.equal(0);
    expect(out).to.match(/adapters\/own\/adapter_model\.safetensors/);
  });
});
