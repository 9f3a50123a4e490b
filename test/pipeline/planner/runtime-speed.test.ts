import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { isUndecided, measuredSpeeds } from '../../../src/compute/tensor/runtimes/choice.js';
import { tensorflowFolder } from '../../../src/compute/tensor/runtimes/tensorflow/installed.js';
import type { Host } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { measureRuntimes } from '../../../src/pipeline/planner/runtime-speed.js';
import { whereInstalled } from '../../compute/tensor/runtimes/here.js';

whereInstalled('tensorflow', () => {
  it('runtimes of the CPU are measured within some seconds, and once', async function () {
    const cache = mkdtempSync(join(tmpdir(), 'cache-'));
    const real = nodeHost();
    const host: Host = {
      ...real,
      machine: () => ({ ...real.machine(), load: 0 }),
      env: (name) => (name === 'XDG_CACHE_HOME' ? cache : real.env(name)),
    };
    try {
      mkdirSync(dirname(tensorflowFolder(host)), { recursive: true });
      symlinkSync(tensorflowFolder(real), tensorflowFolder(host));
      if (!isUndecided(host)) this.skip(); // installed for a GPU
      await measureRuntimes(host);
      expect(isUndecided(host)).to.equal(false);
      const { onnx = 0, tensorflow = 0 } = measuredSpeeds(host) ?? {};
      // some GFLOP: between a thousandth of a second and one
      for (const seconds of [onnx, tensorflow]) expect(seconds).to.be.within(0.0005, 5);
    } finally {
      rmSync(cache, { recursive: true });
    }
  });
});
