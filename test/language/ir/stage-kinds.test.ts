import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { STAGE_KINDS } from '../../../src/language/ir/program.js';
import { expectGolden } from '../../helpers/golden.js';

const folder = 'docs/schema';

describe('stage kinds', () => {
  for (const name of readdirSync(join(nodeHost().packageFolder, folder)))
    it(`are all in ${folder}/${name}, where it lists them`, () => {
      const text = readFileSync(join(nodeHost().packageFolder, folder, name), 'utf8');
      const kinds = STAGE_KINDS.map((kind) => `"${kind}"`).join(', ');
      expectGolden(`${folder}/${name}`, text.replace(/\["data", "format", [^\]]*\]/g, `[${kinds}]`));
    });
});
