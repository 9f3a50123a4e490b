import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { isUndecided, measuredSpeeds } from '../../../src/compute/tensor/runtimes/choice.js';
import { speedsPath } from '../../../src/compute/tensor/runtimes/speeds.js';
import { tensorflowFolder } from '../../../src/compute/tensor/runtimes/tensorflow/installed.js';
import type { Host } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { measureRuntimes } from '../../../src/pipeline/planner/runtime-speed.js';
import { whereInstalled } from '../../compute/tensor/runtimes/here.js';
import { leaveOut } from '../../helpers/leave-out.js';

const FOR_A_GPU = 'TensorFlow is installed for a GPU';

whereInstalled('tensorflow', () => {
  let cache: string;
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), 'cache-'));
  });
  afterEach(() => rmSync(cache, { recursive: true }));

  /** Nothing is measured there yet, and other programs have had the cores for so long. */
  function unmeasured(othersTime: Host['othersTime']): Host {
    const real = nodeHost();
    const host: Host = {
      ...{ ...real, othersTime },
      machine: () => ({ ...real.machine(), load: 0 }),
      env: (name) => (name === 'XDG_CACHE_HOME' ? cache : real.env(name)),
    };
    mkdirSync(dirname(tensorflowFolder(host)), { recursive: true });
    symlinkSync(tensorflowFolder(real), tensorflowFolder(host));
    return host;
  }

  it('runtimes of the CPU are measured within some seconds, and once', async function () {
    const host = unmeasured(() => 0);
    if (!isUndecided(host)) leaveOut(this, FOR_A_GPU);
    await measureRuntimes(host);
    expect(isUndecided(host)).to.equal(false);
    const { onnx = 0, tensorflow = 0 } = measuredSpeeds(host) ?? {};
    // some GFLOP: between a thousandth of a second and one
    for (const seconds of [onnx, tensorflow]) expect(seconds).to.be.within(0.0005, 5);
  });

  it('what other programs disturb is not kept: those that run before, and those that begin meanwhile', async function () {
    for (const begin of [0, 2]) {
      let asked = 0;
      const host = unmeasured(() => (asked++ > begin ? performance.now() : 0));
      if (!isUndecided(host)) leaveOut(this, FOR_A_GPU);
      await measureRuntimes(host);
      expect(asked).to.equal(begin + 2);
      expect(existsSync(speedsPath(host))).to.equal(false);
      expect(isUndecided(host)).to.equal(true);
      rmSync(join(cache, 'ftpc'), { recursive: true });
    }
  });
});
