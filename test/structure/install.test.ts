import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../src/language/host/node-host.js';

const root = nodeHost().packageFolder;
const load = createRequire(join(root, 'package.json'));

describe('an installation', () => {
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
