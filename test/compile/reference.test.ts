import { ModuleLoader, PRELUDE } from '../../src/check/modules.js';
import { nodeHost } from '../../src/source/node-host.js';
import { schemas } from '../../src/stages/schemas.js';
import { expectGolden } from '../helpers/golden.js';
import { budgetPage, functionsPage, stagePage, unitsPage } from '../helpers/reference.js';

describe('the reference', () => {
  for (const schema of Object.values(schemas)) {
    it(`describes ${schema.kind} as its schema does`, () => {
      expectGolden(`docs/reference/${schema.kind}.md`, stagePage(schema));
    });
  }

  it('describes budgets, functions, units and types', () => {
    const loader = new ModuleLoader(nodeHost());
    const modules = [PRELUDE, ...loader.libraryNames()].flatMap((name) => loader.library(name) ?? []);
    expectGolden('docs/reference/budget.md', budgetPage());
    expectGolden('docs/reference/functions.md', functionsPage(modules));
    expectGolden('docs/reference/units.md', unitsPage());
  });
});
