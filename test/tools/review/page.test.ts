import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { renderMarkdown } from '../../../src/tools/review/render/markdown.js';
import { expectGolden } from '../../helpers/golden.js';
import { noGit, workingFolder } from './repository.js';

const root = nodeHost().packageFolder;
const PAGE = 'docs/review.md';
const EXAMPLE = /(<!-- example -->\n)[\s\S]*?(<!-- end of the example -->)/;

describe(`docs/review.md${noGit === undefined ? '' : ` (skipped: ${noGit})`}`, () => {
  before(function () {
    if (noGit !== undefined) this.skip();
  });

  it('shows what the command says of the change that it describes @long', async () => {
    const work = workingFolder();
    work.git('init', '-q', '-b', 'main');
    cpSync(join(root, 'pipelines'), join(work.path, 'pipelines'), { recursive: true });
    work.commit();
    const pipeline = 'pipelines/legal.ftp';
    work.edit(pipeline, 'rank: 16, alpha: 32', 'rank: 32, alpha: 64');
    work.edit(pipeline, 'epochs: 2', 'epochs: 3');
    work.edit(pipeline, / {2}mix = .*\n/, '');
    work.edit(pipeline, '(smoke ? 0% : 20%)', '(smoke ? 0% : 25%)');
    const { comparison } = await work.against({ ref: 'main', file: pipeline });
    work.remove();
    expect(comparison.changed).to.equal(true);
    const page = nodeHost().readText(join(root, PAGE));
    expect(page).to.match(EXAMPLE);
    const example = renderMarkdown(comparison).split('\n').slice(1).join('\n');
    expectGolden(
      PAGE,
      page.replace(EXAMPLE, (_, begin: string, end: string) => `${begin}\n${example}\n\n${end}`),
    );
  });
});
