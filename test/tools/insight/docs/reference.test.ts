import { nodeHost } from '../../../../src/language/host/node-host.js';
import { referencePages } from '../../../../src/tools/insight/docs/reference.js';
import { expectGolden } from '../../../helpers/golden.js';

describe('the reference', () => {
  for (const [name, text] of Object.entries(referencePages(nodeHost())))
    it(`describes ${name} as the schemas do`, () => {
      expectGolden(`docs/reference/${name}.md`, text);
    });
});
