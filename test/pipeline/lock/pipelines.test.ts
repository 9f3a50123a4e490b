/** The pipelines of the repository and their locks. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../../../src/language/compile.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { lockNow, lockText } from '../../../src/pipeline/lock/index.js';
import { expectGolden } from '../../helpers/golden.js';

const root = nodeHost().packageFolder;

describe('the locks of pipelines/', () => {
  const names = readdirSync(join(root, 'pipelines')).flatMap((file) => /^(\w+)\.lock$/.exec(file)?.[1] ?? []);
  for (const name of names)
    it(`${name}.ftp is as it was locked`, async () => {
      const host = nodeHost(root);
      const { program, analysis } = compile(host, `pipelines/${name}.ftp`);
      if (program === undefined || analysis === undefined) throw new Error(`${name} has errors`);
      const { lock, diagnostics } = await lockNow({ program, analysis }, host);
      if (lock === undefined) throw new Error(JSON.stringify(diagnostics));
      expectGolden(`pipelines/${name}.lock`, lockText(lock));
    });
});
