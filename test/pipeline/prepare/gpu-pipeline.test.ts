/** `pipelines/gpu.ftp` is sound, and its plan for GPUs that are not here is one for the accelerate engine. */
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { checkFile } from '../../../src/language/lint/check-file.js';
import { prepare } from '../../../src/pipeline/prepare/index.js';

const FILE = 'pipelines/gpu.ftp';

describe(FILE, () => {
  const host = nodeHost(join(nodeHost().packageFolder));

  it('has nothing to complain about', () => {
    expect(checkFile(host, FILE, { params: {} }).diagnostics).to.deep.equal([]);
    expect(checkFile(host, FILE, { params: { smoke: 'true' } }).diagnostics).to.deep.equal([]);
  });

  it('is planned for GPUs that are not here @long', async () => {
    const request = { file: FILE, params: { smoke: 'true' }, machine: 'h100-80gb', devices: 8 };
    const { plan, diagnostics } = await prepare(host, request, { speed: 'nominal', runs: 'none' });
    expect(diagnostics.filter(({ severity }) => severity === 'error')).to.deep.equal([]);
    expect(plan).to.include({ valid: true, engine: 'accelerate' });
    expect(plan?.ranks).to.deep.equal({ device: 'cuda', devices: 8, nodes: 1, sharding: 'auto' });
    const chosen = plan?.stages.find(({ name }) => name === 'adapter')?.chosen;
    expect(chosen).to.include({ method: 'lora', sharding: 'ddp' });
    expect(plan?.budget.map(({ holds }) => holds)).to.deep.equal([true]);
  });
});
