/** The pipeline for GPUs, from its rows to its release, on two ranks. */
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../src/language/host/node-host.js';
import { freshFolder, ftpc, objects } from '../tools/cli/folders.js';
import { withPython } from './python.js';

withPython('pipelines/gpu.ftp', () => {
  const folder = freshFolder();

  it('trains, evaluates, merges and releases', async () => {
    const from = join(nodeHost().packageFolder, 'pipelines');
    const isSource = (path: string): boolean => !/\/(\.ftp|releases|models)(\/|$)/.test(path);
    cpSync(from, join(folder, 'pipelines'), { recursive: true, filter: isSource });
    const words = ['run', 'pipelines/gpu.ftp', '-p', 'smoke=true', '--devices', '2', '--json'];
    const { code, out, err } = await ftpc(folder, words);
    expect(code, err).to.equal(0);
    const events = objects(out);
    const find = (type: string) => events.find((event) => event['type'] === type);
    expect(find('run.started')).to.deep.include({
      engine: 'accelerate',
      ranks: { device: 'cpu', devices: 2, nodes: 1, sharding: 'auto' },
    });
    const steps = events.filter(({ type, step }) => type === 'stage.progress' && step !== undefined);
    expect(steps.at(-1)).to.include({ ranks: 2, sharding: 'ddp' });
    expect(steps.at(-1)?.['resident']).to.have.length.within(1, 2);
    expect(find('run.finished')).to.include({ status: 'done' });
    expect(readdirSync(join(folder, 'releases/gpu')).length).to.be.at.least(1);
  });
});
