/** `ftpc doctor` with the Python that is there: ten steps by each engine, and by two ranks. */
import { expect } from 'chai';
import { freshFolder, ftpc } from '../tools/cli/folders.js';
import { PYTHON, withPython } from './python.js';

interface Found {
  readonly name: string;
  readonly state: string;
  readonly detail: string;
}

withPython('doctor, of the accelerate engine', () => {
  it('trains with it, on one device and on all, as the embedded engine does', async () => {
    const { code, out, err } = await ftpc(freshFolder(), ['doctor', '--engine', 'accelerate', '--json'], {
      FTPC_PYTHON: PYTHON,
    });
    const { findings } = JSON.parse(out) as { readonly findings: readonly Found[] };
    expect(code, `${out}${err}`).to.equal(0);
    const states = Object.fromEntries(findings.map(({ name, state }) => [name, state]));
    expect(states).to.include({ python: 'ok', pytorch: 'ok', training: 'ok' });
    expect(findings.find(({ name }) => name === 'training')?.detail).to.contain('losses agree');
  });

  it('does not import a Python that lacks packages', async () => {
    const { code, err } = await ftpc(freshFolder(), ['doctor', '--engine', 'accelerate'], {
      FTPC_PYTHON: '/bin/sh',
    });
    expect(code).to.equal(1);
    expect(err).to.contain('FTP1851');
  });
});
