import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { type FoundGpus, findGpus, usedGpu } from '../../../src/pipeline/prepare/gpus.js';
import { freshFolder } from '../../tools/cli/folders.js';

const MIB = 2 ** 20;
const H100 = '0, GPU-aaaa1111, NVIDIA H100 80GB HBM3, 81559, 80995, 9.0';
const L4 = '1, GPU-bbbb2222, NVIDIA L4, 23034, 22564';

/** What is found where `nvidia-smi` is this script. */
function found(script: string): Promise<FoundGpus> {
  const folder = freshFolder();
  const program = join(folder, 'nvidia-smi');
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  return findGpus({ PATH: `${folder}${delimiter}${process.env['PATH']}` });
}
const saying = (...lines: readonly string[]) =>
  found(`printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')}`);

describe('NVIDIA GPUs', () => {
  it('are found with their memory, all that there are', async () => {
    expect(await saying(H100, L4)).to.deep.equal({
      state: 'found',
      gpus: [
        {
          index: 0,
          uuid: 'GPU-aaaa1111',
          name: 'NVIDIA H100 80GB HBM3',
          memoryBytes: 81559 * MIB,
          freeBytes: 80995 * MIB,
          capability: 9,
        },
        {
          index: 1,
          uuid: 'GPU-bbbb2222',
          name: 'NVIDIA L4',
          memoryBytes: 23034 * MIB,
          freeBytes: 22564 * MIB,
        },
      ],
    });
  });

  it('are asked for in a form that the tool knows, also one that is too old to tell the capability', async () => {
    const knowing = (fields: string, gpu: string) =>
      found(`case "$*" in
        "--query-gpu=${fields} --format=csv,noheader,nounits") echo '${gpu}';;
        *) exit 2;; esac`);
    const fields = 'index,uuid,name,memory.total,memory.free';
    expect((await knowing(`${fields},compute_cap`, H100)).state).to.equal('found');
    expect((await knowing(fields, L4)).state).to.equal('found');
    expect((await saying('0, GPU-aaaa1111, NVIDIA L4, 23034, 22564, [N/A]')).state).to.equal('found');
  });

  it('are none where the tool is missing, or sees none', async () => {
    expect(await findGpus({ PATH: freshFolder() })).to.deep.equal({ state: 'none' });
    expect(await found('echo "No devices were found"; exit 6')).to.deep.equal({ state: 'none' });
  });

  it('are not known where the tool fails or tells no size', async () => {
    const driver = 'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.';
    expect(await found(`echo "${driver}"; exit 9`)).to.deep.equal({ state: 'failed', detail: driver });
    expect(await found('exit 3')).to.deep.equal({ state: 'failed', detail: 'it ends with 3' });
    expect(await found('exit 0')).to.deep.equal({ state: 'failed', detail: 'it says nothing' });
    const shared = '0, GPU-cccc3333, NVIDIA GB10, [N/A], [N/A]';
    expect(await saying(H100, shared)).to.deep.equal({ state: 'failed', detail: `it says \`${shared}\`` });
    expect((await saying('garbage')).state).to.equal('failed');
    expect((await saying('0, GPU-dddd4444, NVIDIA L4, 0, 0')).state).to.equal('failed');
  });

  it('are reckoned with as the smallest that may be used', async () => {
    const all = await saying(H100, L4);
    const gpus = all.state === 'found' ? all.gpus : [];
    const used = (visible?: string) => usedGpu(gpus, visible)?.name;
    expect(used()).to.equal('NVIDIA L4');
    expect(used('0')).to.equal('NVIDIA H100 80GB HBM3');
    expect(used('1,0')).to.equal('NVIDIA L4');
    expect(used('GPU-aaaa')).to.equal('NVIDIA H100 80GB HBM3');
    expect(used('0,7,1')).to.equal('NVIDIA H100 80GB HBM3');
    for (const none of ['', '-1', '7']) expect(used(none), none).to.equal(undefined);
  });
});
