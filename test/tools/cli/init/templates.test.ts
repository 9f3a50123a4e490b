import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { TEMPLATE_NAMES, TEMPLATES, templateFiles } from '../../../../src/tools/cli/init/templates.js';

const host = nodeHost();
const folder = join(host.packageFolder, 'stdlib/templates');

describe('templates of `ftpc init`', () => {
  it('are the folders of the library', () => {
    const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name).sort()).to.deep.equal([...TEMPLATE_NAMES].sort());
  });

  for (const name of TEMPLATE_NAMES)
    it(`${name} has its pipeline first, its tests, and rows as the script writes them`, async () => {
      const files = templateFiles(host, name);
      const { pipeline, ask } = TEMPLATES[name];
      const subject = pipeline.replace('.ftp', '');
      expect(Object.keys(files)).to.deep.equal([
        pipeline,
        ...[`${subject}.test.ftp`, `data/${subject}.jsonl`].sort(),
      ]);
      expect(ask).to.contain(`releases/${subject}`);
      const { templateRows } = await import(join(host.packageFolder, 'scripts/data/templates.mjs'));
      const rows: readonly object[] = templateRows()[`${name}/data/${subject}.jsonl`];
      expect(files[`data/${subject}.jsonl`]).to.equal(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    });
});
