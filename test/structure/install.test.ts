import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../src/language/host/node-host.js';
import { dllImports } from './binary-imports.js';

const root = nodeHost().packageFolder;
const load = createRequire(join(root, 'package.json'));
const binaries = join(root, 'node_modules', 'onnxruntime-node', 'bin', 'napi-v6');

interface LockedPackage {
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

describe('an installation of the package', () => {
  const { scripts, dependencies } = load('./package.json');
  const packages: Readonly<Record<string, LockedPackage>> = load('./package-lock.json').packages;

  it('runs no script', () => {
    // npm runs `prepare` of a package that is installed from a file or from git
    const run = ['preinstall', 'install', 'postinstall', 'prepare'];
    expect(Object.keys(scripts).filter((name) => run.includes(name))).to.deep.equal([]);
    const needed = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);
    expect(needed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).to.deep.equal(
      [],
    );
  });

  it('depends on no package that holds binaries of several systems: those are packed', () => {
    expect(dependencies).to.not.have.any.keys('onnxruntime-node', 'tokenizers');
  });

  const windows = readdirSync(join(binaries, 'win32')).map((arch) => join(binaries, 'win32', arch));
  for (const folder of windows)
    it(`needs nothing on Windows that is not packed (${folder.split(/[\\/]/).at(-1)})`, () => {
      const all = readdirSync(folder);
      const loaded = ['onnxruntime_binding.node', 'onnxruntime.dll'];
      const imports = loaded.map((name) => dllImports(readFileSync(join(folder, name))));
      expect(imports.flatMap(({ atOnce }) => atOnce).filter((name) => all.includes(name))).to.deep.equal([
        'onnxruntime.dll',
      ]);
      expect(imports.flatMap(({ whenCalled }) => whenCalled)).to.include('DirectML.dll');
    });

  it('needs one of the two copies that there are for macOS', () => {
    const folder = join(binaries, 'darwin', 'arm64');
    const binding = readFileSync(join(folder, 'onnxruntime_binding.node'), 'latin1');
    const names = readdirSync(folder).filter((name) => name.endsWith('.dylib'));
    expect(names.filter((name) => binding.includes(`@rpath/${name}`))).to.deep.equal([
      'libonnxruntime.1.dylib',
    ]);
  });
});

describe('an installation of the repository', () => {
  it('tells the install script of onnxruntime-node to fetch nothing', () => {
    const before = process.env['ONNXRUNTIME_NODE_INSTALL'];
    delete process.env['ONNXRUNTIME_NODE_INSTALL'];
    try {
      const { bootstrap } = load('./scripts/global-agent');
      bootstrap();
      const { parseInstallFlag } = load(join(root, 'node_modules/onnxruntime-node/script/install-utils.js'));
      expect(parseInstallFlag()).to.equal(false);
    } finally {
      if (before === undefined) delete process.env['ONNXRUNTIME_NODE_INSTALL'];
      else process.env['ONNXRUNTIME_NODE_INSTALL'] = before;
    }
  });

  it('puts it in the place of the package that the script asks first, for npm 10 and 11', () => {
    const { overrides, devDependencies, allowScripts } = load('./package.json');
    const { packages } = load('./package-lock.json');
    expect(devDependencies['global-agent']).to.equal('file:scripts/global-agent');
    expect(overrides).to.deep.equal({ 'global-agent': '$global-agent' });
    expect(packages['node_modules/global-agent']).to.deep.equal({
      resolved: 'scripts/global-agent',
      link: true,
    });
    expect(allowScripts['onnxruntime-node']).to.equal(false);
  });
});
