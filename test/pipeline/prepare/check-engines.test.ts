/** Which engine can compute with each model of a file, as `ftpc check` says it. */
import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { checkEngines } from '../../../src/pipeline/prepare/check-engines.js';
import { checkModels } from '../../../src/pipeline/prepare/check-models.js';
import { type Folder, pipelineFolder, TEXT } from '../planner/pipeline.js';

const LOCAL = TEXT.replaceAll(/untrained\("[^"]*", seed: 1\)/g, 'local("model")');
const asking = (engine: string): string =>
  LOCAL.replace('budget machine {', `budget machine {\n  engine = ${engine}`);

describe('a check of what engines take', () => {
  let folder: Folder;
  beforeEach(() => {
    folder = pipelineFolder();
  });
  afterEach(() => folder.remove());

  const config = (changed: object): string => {
    const { host } = folder;
    const recorded = JSON.parse(host.readText(`${host.packageFolder}/test/compute/models/foreign.json`)) as {
      readonly mixtral: { readonly config: object };
    };
    return JSON.stringify({ ...recorded.mixtral.config, ...changed });
  };
  /** A base of which nothing but its `config.json` is here. */
  async function found(text: string, described: string) {
    folder.write('model/config.json', described);
    folder.write('pipeline.ftp', text);
    const compiled = compile(folder.host, 'pipeline.ftp', { params: {} });
    const errors = compiled.diagnostics.filter(({ severity }) => severity === 'error');
    expect([...errors, ...(await checkModels(compiled, folder.host))]).to.deep.equal([]);
    const { models, diagnostics } = await checkEngines(compiled, folder.host);
    return {
      models: models.map(({ stage, setting, architecture, engines }) =>
        [`${stage}.${setting}`, architecture, ...engines].join(' '),
      ),
      diagnostics,
    };
  }

  it('names the engines of each model', async () => {
    const { models, diagnostics } = await found(asking('accelerate'), config({}));
    expect(diagnostics).to.deep.equal([]);
    expect(models).to.deep.equal([
      'adapter.base mixtral accelerate',
      'quality.baseline mixtral accelerate',
      'fused.base mixtral accelerate',
    ]);
    const own = await found(TEXT, config({}));
    expect(own.models[0]).to.match(/^adapter\.base \w+ embedded accelerate$/);
    expect(own.diagnostics).to.deep.equal([]);
  });

  for (const [who, text] of [
    ['is asked for', asking('embedded')],
    ['is what this machine has', LOCAL],
  ] as const)
    it(`refuses a base without a graph where the embedded engine ${who}`, async () => {
      const [first] = (await found(text, config({}))).diagnostics;
      expect(first?.code).to.equal('FTP1807');
      expect(first?.help).to.contain('`engine = accelerate`');
      const at = first?.at;
      expect(at !== undefined && 'start' in at && text.slice(at.start, at.end)).to.equal('local("model")');
    });

  it('says what was meant by an architecture that nobody knows', async () => {
    const [first] = (await found(LOCAL, config({ model_type: 'mixtrall' }))).diagnostics;
    expect(first?.code).to.equal('FTP0832');
    expect(first?.help).to.match(/^did you mean "mixtral"\?.*`engine = accelerate`/);
    expect(first?.related?.[0]?.message).to.equal('the base of `adapter`');
  });

  it('says where a config is broken', async () => {
    const [first] = (await found(LOCAL, '{ "model_type": "llama",\n  "hidden_size": 64,,\n}')).diagnostics;
    expect(first?.code).to.equal('FTP0833');
    expect(first?.at).to.include({ line: 2, column: 21 });
  });
});
