import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { openLlama } from '../../../../src/compute/serving/llama-cpp/model.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { type FakeLlamaParts, fakeLlama } from './fake-installation.js';

describe('the memory that a model in llama.cpp is planned to take', () => {
  let cache: string;
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), 'llama-'));
  });
  afterEach(() => rmSync(cache, { recursive: true }));

  /** Weights of one byte, and a context of one. */
  async function planned(parts: FakeLlamaParts): Promise<number> {
    const real = nodeHost();
    const env = (name: string) => (name === 'XDG_CACHE_HOME' ? cache : real.env(name));
    const host = { ...real, env };
    for (const [path, text] of Object.entries(fakeLlama(host, parts))) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    const sizes = { contextTokens: 8, rows: 1, threads: 1 };
    return (await openLlama(host, { label: 'a', path: 'a.gguf', ...sizes })).memory;
  }

  it('is weights and context', async () => {
    expect(await planned({ description: 'llama 256M Q4_1', instructions: 'AVX2 = 1 | AVX512 = 1' })).to.equal(
      2,
    );
  });

  it('has quantised weights twice where AMX reads them', async () => {
    expect(await planned({ description: 'llama 256M Q4_1', instructions: 'AMX_INT8 = 1' })).to.equal(3);
  });

  it('has others once', async () => {
    expect(await planned({ description: 'llama 256M F16', instructions: 'AMX_INT8 = 1' })).to.equal(2);
  });
});
