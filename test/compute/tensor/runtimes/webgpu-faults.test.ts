/** What goes wrong with drivers ends in a diagnostic, and in good time: each in a process of its own. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { driverOf } from '../../../../src/compute/tensor/runtimes/tfjs/driver.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { largestOnGpu } from '../../../../src/pipeline/prepare/tensor-device.js';
import { openHere, whereInstalled } from './here.js';

const SCRIPT = fileURLToPath(new URL('../../../helpers/lose-device.js', import.meta.url));
const LIMITS = { maxBufferSize: 2 ** 31, maxStorageBufferBindingSize: 2 ** 30 };

/** The lines that the script prints; drivers print to standard error. */
async function linesOf(env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT], {
    env: { ...process.env, ...env },
    timeout: 600_000,
  });
  return stdout.split('\n').filter((line) => /^(lost|after|opening): /.test(line));
}

describe('what WebGPU says of its driver', () => {
  const info = { vendor: 'nvidia', architecture: 'ampere', description: 'NVIDIA GeForce RTX 3090' };

  it('has its name, its vendor and the largest tensor', () => {
    const { name, facts, isSoftware } = driverOf({ info, limits: LIMITS });
    expect([name, isSoftware]).to.deep.equal([info.description, false]);
    expect(facts.join(', ')).to.match(
      /^NVIDIA GeForce RTX 3090 through .*, of nvidia, tensors up to 1024 MiB/,
    );
  });

  it('tells a driver in software, by its word or by its name', () => {
    const said = driverOf({ info: { ...info, isFallbackAdapter: true }, limits: LIMITS });
    const named = driverOf({ info: { ...info, description: 'llvmpipe (LLVM 19.1.0)' }, limits: LIMITS });
    expect([said.isSoftware, named.isSoftware]).to.deep.equal([true, true]);
    expect(named.facts).to.include('a driver in software');
  });

  it('names something where the driver names nothing', () => {
    const nameless = { vendor: '', architecture: '', description: '' };
    expect(driverOf({ info: nameless, limits: LIMITS }).name).to.equal('a GPU without a name');
  });
});

describe('faults of drivers on webgpu', () => {
  whereInstalled('webgpu', () => {
    let folder = '';
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'ftpc-webgpu-'));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    it('end a training whose device is lost in its midst, and what is asked after it', async () => {
      const [lost, after, ...others] = await linesOf({});
      expect(lost).to.match(/^lost: FTP0933 the GPU did not compute: /);
      expect(after).to.match(/^after: FTP0933 the GPU did not compute: the device was lost/);
      expect(others).to.deep.equal([]);
    });

    it('leave a plan without the largest tensor, which it has where there is a driver', async () => {
      const { largestTensor } = await openHere('webgpu');
      expect(await largestOnGpu(nodeHost())).to.equal(largestTensor);
      const none = { VK_ICD_FILENAMES: join(folder, 'none.json') };
      if (process.platform === 'linux') expect(await largestOnGpu(nodeHost(), none)).to.equal(undefined);
    });

    if (process.platform === 'linux') {
      it('are no GPU where the driver is not where it is said to be', async () => {
        const lines = await linesOf({ VK_ICD_FILENAMES: join(folder, 'none.json') });
        expect(lines).to.deep.equal(['opening: FTP0930 WebGPU finds no GPU on this machine']);
      });

      it('are no GPU where the driver is no library', async () => {
        const icd = join(folder, 'icd.json');
        writeFileSync(join(folder, 'driver.so'), 'no library');
        const driver = { library_path: join(folder, 'driver.so'), api_version: '1.3.0' };
        writeFileSync(icd, JSON.stringify({ file_format_version: '1.0.0', ICD: driver }));
        const lines = await linesOf({ VK_ICD_FILENAMES: icd });
        expect(lines).to.deep.equal(['opening: FTP0930 WebGPU finds no GPU on this machine']);
      });

      it('are no GPU where the loader of Vulkan does not load', async () => {
        mkdirSync(join(folder, 'libraries'));
        writeFileSync(join(folder, 'libraries/libvulkan.so.1'), 'no library');
        const lines = await linesOf({ LD_LIBRARY_PATH: join(folder, 'libraries') });
        expect(lines).to.deep.equal(['opening: FTP0930 WebGPU finds no GPU on this machine']);
      });
    }

    it('are not met here: the driver tells its name', async () => {
      const { driver } = await openHere('webgpu');
      expect(driver?.name).to.be.a('string').that.is.not.equal('');
      if (process.env['VK_ICD_FILENAMES']?.includes('swiftshader')) expect(driver?.isSoftware).to.equal(true);
    });
  });
});
