import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import { conformance } from './conformance.js';

conformance('onnx', () => onnxRuntime({ threads: 1 }));
conformance('onnx, all intermediates in shared memory', () => onnxRuntime({ threads: 2, scratch: 0 }));

describe('ONNX Runtime', () => {
  it('tells nobody of what it computes, and keeps nothing for it', () => {
    const home = mkdtempSync(join(tmpdir(), 'ftpc-home-'));
    try {
      const module = new URL('../../../../src/compute/tensor/runtimes/onnx/index.js', import.meta.url).href;
      const program = `console.log((await (await import('${module}')).onnxRuntime()).name)`;
      // where CI is set, the library is silent by itself
      const { CI: _, ORT_DISABLE_TELEMETRY: __, XDG_CACHE_HOME: ___, ...env } = process.env;
      const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
        env: { ...env, HOME: home },
        encoding: 'utf8',
      });
      expect(said.trim()).to.equal('onnx');
      expect(readdirSync(home)).to.deep.equal([]);
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});
