import { referencePages } from '../../../src/insight/docs/reference.js';
import { nodeHost } from '../../../src/source/node-host.js';
import { expectGolden } from '../../helpers/golden.js';

describe('the reference', () => {
  for (const [name, text] of Object.entries(referencePages(nodeHost())))
    it(`describes ${name} as the schemas do`, () => {
      expectGolden(`docs/reference/${name}.md`, text);
    });
});
