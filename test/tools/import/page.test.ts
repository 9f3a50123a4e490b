import { expectGolden } from '../../helpers/golden.js';
import { importingPage } from './importing-page.js';

describe('docs/importing.md', () => {
  it('has the tables of the keys', () => expectGolden('docs/importing.md', importingPage()));
});
