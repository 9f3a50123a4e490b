/** Which Python is taken, and what is found in its folders without starting it. */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect } from 'chai';
import { engineIdentity, pythonOf, tryPython } from '../../../src/compute/accelerate/environment.js';
import { environmentDamage, environmentFolder, pythonIn } from '../../../src/compute/accelerate/installed.js';
import { PACKAGE_NAMES, packageOf } from '../../../src/compute/accelerate/packages.js';
import { sitePackages } from '../../../src/compute/accelerate/site-packages.js';
import type { Host } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { freshFolder } from '../../tools/cli/folders.js';

const write = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};

/** What an environment's Python answers; without an answer, it must not be started. */
interface Fake {
  readonly packages?: Readonly<Record<string, string>>;
  readonly settings?: string;
  readonly answers?: string;
}

const TRIED = Object.fromEntries(PACKAGE_NAMES.map((name) => [name, packageOf(name).tried ?? '3.0']));
const SETTINGS = 'home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.12.4\n';

/** A virtual environment of folders alone; its Python. */
function fakeEnvironment(folder: string, { packages = TRIED, settings = SETTINGS, answers }: Fake): string {
  const python = pythonIn(folder);
  write(python, answers === undefined ? '#!/bin/sh\nexit 7\n' : `#!/bin/sh\necho '${answers}'\n`);
  chmodSync(python, 0o755);
  write(join(folder, 'pyvenv.cfg'), settings);
  const site = sitePackages(folder, '3.12.4');
  for (const [name, version] of Object.entries(packages))
    write(join(site, `${name}-${version}.dist-info`, 'METADATA'), '');
  write(join(site, 'torch', 'version.py'), "__version__ = '2'\ncuda: Optional[str] = '13.2'\nhip = None\n");
  return python;
}

describe('the Python of the accelerate engine', () => {
  let folder: string;
  beforeEach(() => {
    folder = freshFolder();
  });
  const host = (variables: Readonly<Record<string, string>> = {}): Host => {
    const all: Readonly<Record<string, string>> = { XDG_CACHE_HOME: join(folder, 'cache'), ...variables };
    return { ...nodeHost(folder), env: (name) => all[name] };
  };
  const codeOf = (at: Host, asked?: string): string => {
    const found = tryPython(at, asked);
    return 'code' in found ? found.code : 'found';
  };

  it('is read from the folders of its environment, without being started', () => {
    const python = fakeEnvironment(join(folder, 'venv'), {});
    const found = pythonOf(host(), 'venv');
    expect(found).to.deep.include({ python, origin: 'option', version: '3.12.4', cuda: '13.2' });
    expect(engineIdentity(found)).to.deep.equal({
      name: 'accelerate',
      version: 'torch 2.15.0, transformers 5.24.0, peft 0.21.2, bitsandbytes 0.50.2',
    });
  });

  it('is the one of the option, else of the variable, else the installed one', () => {
    fakeEnvironment(join(folder, 'a'), {});
    fakeEnvironment(join(folder, 'b'), {});
    const at = host({ FTPC_PYTHON: join(folder, 'b') });
    expect(pythonOf(at, 'a').origin).to.equal('option');
    expect(pythonOf(at)).to.include({ origin: 'variable', python: pythonIn(join(folder, 'b')) });
    const bare = host();
    expect(codeOf(bare)).to.equal('FTP1850');
    fakeEnvironment(environmentFolder(bare), {});
    expect(codeOf(bare), 'an environment that is not whole').to.equal('FTP1850');
    const manifest = { version: 1, lock: 'a', cuda: true, python: '3.12.4', bytes: 1, records: {} };
    write(join(environmentFolder(bare), 'manifest.json'), JSON.stringify(manifest));
    expect(pythonOf(bare).origin).to.equal('installed');
  });

  it('is found by its name', () => {
    const python = fakeEnvironment(join(folder, 'venv'), {});
    const at = host({ PATH: dirname(python) });
    expect(pythonOf(at, 'python').python).to.equal(python);
    expect(codeOf(at, 'python9')).to.equal('FTP1851');
  });

  it('is asked where its folders do not tell', () => {
    const answers = JSON.stringify({ version: '3.13.0', packages: TRIED, cuda: null });
    const settings = SETTINGS.replace('false', 'true');
    fakeEnvironment(join(folder, 'shared'), { answers, settings });
    expect(pythonOf(host(), 'shared')).to.deep.include({ version: '3.13.0', cuda: undefined });
    fakeEnvironment(join(folder, 'silent'), { settings });
    expect(codeOf(host(), 'silent')).to.equal('FTP1851');
  });

  it('has to have what is needed, in versions that are known to work', () => {
    const answers = JSON.stringify({ version: '3.12.4', packages: { torch: '2.15.0' }, cuda: null });
    fakeEnvironment(join(folder, 'bare'), { packages: { torch: '2.15.0' }, answers });
    expect(codeOf(host(), 'bare')).to.equal('FTP1853');
    fakeEnvironment(join(folder, 'old'), { packages: { ...TRIED, torch: '2.5.1+cu124' } });
    expect(codeOf(host(), 'old')).to.equal('FTP1854');
    const { bitsandbytes: _, ...others } = TRIED;
    fakeEnvironment(join(folder, 'part'), { packages: others });
    expect(codeOf(host(), 'part'), 'without what QLoRA needs').to.equal('found');
    const lacking = tryPython(host(), 'part', ['bitsandbytes']);
    expect('code' in lacking && lacking.message).to.contain('`bitsandbytes`');
  });

  it('is damaged where what makes it an environment is gone, or a file of a package', () => {
    const at = host();
    const home = environmentFolder(at);
    fakeEnvironment(home, {});
    const site = relative(home, sitePackages(home, '3.12.4'));
    const content = Buffer.from('x = 1\n');
    write(join(home, site, 'torch/nn.py'), content.toString());
    const record = `torch/nn.py,sha256=${createHash('sha256').update(content).digest('base64url')},6\n`;
    const list = `${site}/torch-2.15.0.dist-info/RECORD`;
    write(join(home, list), record);
    const records = { [list]: createHash('sha256').update(record).digest('hex') };
    const manifest = { version: 1, lock: 'a', cuda: true, python: '3.12.4', bytes: 1, records };
    write(join(home, 'manifest.json'), JSON.stringify(manifest));
    expect(environmentDamage(at, 'all')).to.equal(undefined);
    rmSync(join(home, site, 'torch/nn.py'));
    expect(environmentDamage(at, 'all')).to.equal(`\`${site}/torch/nn.py\` is gone`);
    rmSync(join(home, 'pyvenv.cfg'));
    expect(environmentDamage(at, 'all')).to.equal('`pyvenv.cfg` is gone');
  });
});
