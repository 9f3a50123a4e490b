import { expect } from 'chai';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type { FoundGpus } from '../../../../src/pipeline/prepare/gpus.js';
import { gpuFinding } from '../../../../src/tools/cli/doctor/checks.js';
import { freshFolder } from '../folders.js';

const GIB = 2 ** 30;
const FOUND: FoundGpus = {
  state: 'found',
  gpus: [
    { index: 0, uuid: 'GPU-a', name: 'NVIDIA L4', memoryBytes: 22 * GIB, freeBytes: 20 * GIB },
    { index: 1, uuid: 'GPU-b', name: 'NVIDIA T4', memoryBytes: 15 * GIB, freeBytes: 14 * GIB },
  ],
};

describe('what doctor says of GPUs', () => {
  const machine = (env: Readonly<Record<string, string>> = {}) => {
    const cache = freshFolder();
    return { ...nodeHost(), env: (name: string) => ({ XDG_CACHE_HOME: cache, ...env })[name] };
  };

  it('is each with its memory, and what may be taken of it', () => {
    const found = gpuFinding(machine({ FTPC_DEVICE_MEMORY: '6GiB' }), FOUND);
    expect(found.state).to.equal('note');
    expect(found.detail).to.equal(
      'NVIDIA L4: 22.0 GiB, of which 20.0 GiB are free; NVIDIA T4: 15.0 GiB, of which 14.0 GiB are free; a run may use 6.00 GiB (`FTPC_DEVICE_MEMORY`)',
    );
    expect(found.help).to.contain('ftpc runtime install tensorflow');
    expect(gpuFinding(machine(), { state: 'none' }).state).to.equal('note');
  });

  it('is a warning where nothing can be told, and a failure where the limit is none', () => {
    const failed = gpuFinding(machine(), { state: 'failed', detail: 'it says nothing' });
    expect(failed.state).to.equal('warning');
    expect(failed.detail).to.contain('it says nothing');
    const unreadable = gpuFinding(machine({ FTPC_DEVICE_MEMORY: 'six' }), FOUND);
    expect(unreadable).to.include({ state: 'failed' });
    expect(unreadable.detail).to.contain('is not a size: `six`');
  });
});
