import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { writeLock } from '../../../src/pipeline/lock/index.js';
import { type PlanScope, prepare } from '../../../src/pipeline/prepare/index.js';
import { type Folder, pipelineFolder, TEXT } from '../planner/pipeline.js';

/** How each of them looks at its surroundings. */
const SCOPES: Readonly<Record<string, PlanScope>> = {
  'a run': {},
  'a review': { hub: 'uncached', speed: 'nominal', runs: 'none' },
  'an editor': { hub: 'never', speed: 'unknown' },
};

describe('a pipeline that is prepared', () => {
  let folder: Folder;
  before(() => {
    folder = pipelineFolder();
  });
  after(() => folder.remove());

  const codesOf = async (text: string, scope: PlanScope): Promise<readonly string[]> => {
    folder.write('pipeline.ftp', text);
    const { diagnostics } = await prepare(folder.host, { file: 'pipeline.ftp', params: {} }, scope);
    return diagnostics.map(({ code }) => code);
  };

  for (const [who, scope] of Object.entries(SCOPES)) {
    it(`has the same mistakes for ${who}: a target of the adapter that its base does not have`, async () => {
      const text = TEXT.replace('rank: 16,', 'rank: 16, targets: ["q_prj"],');
      expect(await codesOf(text, scope)).to.deep.equal(['FTP0753']);
    });

    it(`has the same mistakes for ${who}: answers are checked against what is no JSON Schema`, async () => {
      folder.write('answer.json', '{ "type": "objekt" }');
      const text = TEXT.replace('{ perplexity, rouge_l }', '{ json_valid, perplexity, rouge_l }').replace(
        'metrics = [',
        'metrics = [json_valid(file("answer.json")), ',
      );
      expect(await codesOf(text, scope)).to.deep.equal(['FTP0606']);
    });

    it(`has the same mistakes for ${who}: nothing to plan`, async () => {
      expect(await codesOf('edition 2026\n\nparam rank: Int = 8\n', scope)).to.deep.equal(['FTP0436']);
    });

    it(`has the same mistakes for ${who}: a file that differs from the lock`, async () => {
      folder.write('pipeline.ftp', TEXT);
      folder.write('prompt.md', 'Answer briefly.');
      const { program, analysis } = compile(folder.host, 'pipeline.ftp');
      if (program === undefined || analysis === undefined) return expect.fail('the pipeline has errors');
      await writeLock({ program, analysis }, folder.host, {});
      folder.write('prompt.md', 'Answer at length.');
      expect(await codesOf(TEXT, scope)).to.deep.equal(['FTP1425']);
    });
  }
});
