import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { fixturePath } from '../../compute/training/fixture.js';
import { PYTHON, withPython } from '../python.js';

withPython('a base in four bits whose rows are no multiple of 64, on a CPU', () => {
  const { packageFolder } = nodeHost();
  const script = join(packageFolder, 'test', 'accelerate', 'driver', 'odd_rows.py');

  it('is dequantised block by block, in training and in evaluation', () => {
    const text = execFileSync(PYTHON ?? '', [script, fixturePath('../classification/gpt2')], {
      encoding: 'utf8',
      env: { ...process.env, PYTHONPATH: join(packageFolder, 'python') },
      stdio: 'pipe',
    });
    const apart = JSON.parse(text) as Record<'single' | 'double', readonly number[]>;
    for (const kind of ['single', 'double'] as const) {
      expect(apart[kind], kind).to.have.length(2);
      for (const difference of apart[kind]) expect(difference, kind).to.be.below(1e-5);
    }
  });
});
