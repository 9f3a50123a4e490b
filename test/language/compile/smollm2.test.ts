import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { nodeHost } from '../../../src/language/host/node-host.js';

const host = nodeHost(nodeHost().packageFolder);
const FILE = 'pipelines/smollm2.ftp';
const isModel = (path: string): boolean => path.endsWith('.gguf');

describe('pipelines/smollm2.ftp', () => {
  it('says how its model is fetched where it is not there, and nothing else', () => {
    const bare = { ...host, stat: (path: string) => (isModel(path) ? undefined : host.stat(path)) };
    const { diagnostics } = compile(bare, FILE);
    expect(diagnostics.map(({ code }) => code)).to.deep.equal(['FTP0842']);
    const text = host.readText(`${host.cwd}/${FILE}`);
    const at = diagnostics[0]?.at;
    const start = at !== undefined && 'start' in at ? at.start : 0;
    expect(text.slice(start).split('\n')[0]).to.match(
      /\/\/ node scripts\/models\/fetch\.mjs smollm2 --to pipelines\/models$/,
    );
  });

  it('is sound where it is there', () => {
    const stat = { size: 1, isFolder: false, modified: 0 };
    const fetched = { ...host, stat: (path: string) => (isModel(path) ? stat : host.stat(path)) };
    expect(compile(fetched, FILE).diagnostics).to.deep.equal([]);
  });
});
