import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { Host } from '../../../../src/language/host/host.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type { DoctorOptions } from '../../../../src/tools/cli/doctor/checks.js';
import { llama } from '../../../../src/tools/cli/doctor/llama.js';
import { fakeLlama } from '../../../compute/serving/llama-cpp/fake-installation.js';
import { whereLlama } from '../../../compute/serving/llama-cpp/here.js';

const options = { progress: () => {} } as unknown as DoctorOptions;

describe('doctor, of llama.cpp', () => {
  let folder: string;
  let host: Host;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'doctor-'));
    const real = nodeHost();
    host = { ...real, env: (name) => (name === 'XDG_CACHE_HOME' ? folder : real.env(name)) };
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const install = (parts: Parameters<typeof fakeLlama>[1]): void => {
    for (const [path, text] of Object.entries(fakeLlama(host, parts))) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
  };

  it('says that it is not installed, and how it would be', async () => {
    expect(await llama(host, options)).to.include({ state: 'note' });
    expect((await llama(host, options))?.detail).to.contain('`ftpc runtime install llama.cpp`');
  });

  it('finds a file with other content, and a library that opens nothing', async () => {
    install({});
    const script = Object.keys(fakeLlama(host, {}))[0] ?? '';
    writeFileSync(script, 'other');
    expect((await llama(host, options))?.detail).to.match(
      /^damaged: `llama-addon\.node\/index\.js` has 5 bytes/,
    );
    install({ init: "said('out of memory'), false" });
    expect(await llama(host, options)).to.include({
      state: 'failed',
      help: 'answer with `--engine embedded`',
    });
  });

  describe('@long', () => {
    whereLlama(() => {
      it('compares its answer with that of the embedded engine', async () => {
        const found = await llama(nodeHost(), options);
        expect(found?.state).to.equal('ok');
        expect(found?.detail).to.match(/agree with the embedded engine to \de-\d/);
      });
    });
  });
});
