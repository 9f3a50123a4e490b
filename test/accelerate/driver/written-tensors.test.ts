/** Checkpoints are written from the memory that tensors lie in. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { host } from '../../compute/training/fixture.js';
import { PYTHON, withPython } from '../python.js';
import { testFolders } from '../train/trained.js';

withPython('tensors that are written', () => {
  const folder = testFolders();

  it('are not copied before, and are whole where they share memory', () => {
    const script = join(host.packageFolder, 'test', 'accelerate', 'driver', 'written_tensors.py');
    const env = { ...process.env, PYTHONPATH: join(host.packageFolder, 'python'), OMP_NUM_THREADS: '1' };
    const said = execFileSync(PYTHON ?? '', [script, folder('written')], { env, encoding: 'utf8' });
    const { same, more } = JSON.parse(said) as { readonly same: boolean; readonly more: number };
    expect(same).to.equal(true);
    expect(more, 'MiB').to.be.below(32);
  });
});
