/** What a plan says of releases before they are made. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { openModel } from '../../../src/compute/models/load.js';
import { plannedCodes } from '../../../src/compute/models/weights/stored-codes.js';
import { ggufFormats } from '../../../src/compute/packaging/gguf/tensor-formats.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { plan as makePlan } from '../../../src/pipeline/planner/plan.js';
import type { Plan } from '../../../src/pipeline/planner/plan-json.js';
import { PLAIN } from '../../../src/pipeline/planner/render/columns.js';
import { renderPlanText } from '../../../src/pipeline/planner/render/text.js';
import { type Folder, pipelineFolder, QUICK, STARTER, TEXT } from './pipeline.js';

const schema = JSON.parse(nodeHost().readText(`${nodeHost().packageFolder}/docs/schema/plan.json`)) as object;
const validate = new Ajv2020({ strict: false }).compile(schema);

const RELEASES = `
secret hub_token = env("HF_TOKEN")
merge small { base = starter(), dtype = q8_0 }
deploy canary { model = fused, target = directory("others"), canary = 12.5% }
deploy shared { model = small, target = hub("org/name", private: false, branch: "v2") }
deploy laptop { model = small, target = ollama("legal:v2") }
deploy adapter_alone { model = adapter.best, target = hub("org/adapter") }
`;

describe('what is published', () => {
  let folder: Folder;
  let plan: Plan;
  before(async () => {
    folder = pipelineFolder();
    const program = folder.program(TEXT + RELEASES);
    plan = await makePlan(program, folder.host, QUICK);
  });
  after(() => folder.remove());

  const published = (name: string) => plan.stages.find((stage) => stage.name === name)?.publishes;

  it('is said of every release: where, who sees it, and how much it is', () => {
    expect(validate(JSON.parse(JSON.stringify(plan))), JSON.stringify(validate.errors)).to.equal(true);
    expect(published('local')).to.deep.include({ target: 'directory', place: 'releases' });
    expect(published('canary')).to.deep.include({ target: 'directory', place: 'others', canary: 0.125 });
    expect(published('shared')).to.deep.include({
      target: 'hub',
      place: 'org/name',
      private: false,
      branch: 'v2',
    });
    expect(published('laptop')).to.deep.include({ target: 'ollama', place: 'legal:v2' });
    expect(published('fused')).to.equal(undefined);
  });

  it('is as large as its dtype makes it; of an adapter, the adapter alone', () => {
    const size = (name: string): number => published(name)?.bytes ?? Number.NaN;
    expect(size('shared')).to.equal(size('laptop'));
    // 16 and 8.5 bits per weight, and a tokenizer
    expect(size('local') / size('shared')).to.be.within(1.5, 2);
    // 16 × (inputs + outputs) of each projection of the starter, as safetensors and as GGUF
    expect(size('adapter_alone')).to.be.within(1e5, 4e6);
    expect(published('shared')?.files).to.be.lessThan(published('local')?.files ?? 0);
  });

  it('counts the codes of a GGUF file, which are there besides the weights while the smoke question is asked', () => {
    const { config } = openModel(nodeHost(), STARTER);
    const codes = plannedCodes(config, ggufFormats('q8_0', config)) ?? {
      bytes: Number.NaN,
      peak: Number.NaN,
    };
    const workspace = (name: string): number =>
      plan.stages.find((stage) => stage.name === name)?.peak?.parts.workspace ?? Number.NaN;
    expect(codes.peak).to.be.above(codes.bytes);
    expect(workspace('shared')).to.be.above(codes.peak);
    expect(workspace('shared') - workspace('local')).to.be.above(codes.bytes);
  });

  it('takes disk where it is a folder', () => {
    const disk = (name: string) => plan.stages.find((stage) => stage.name === name)?.diskBytes;
    expect(disk('local')).to.equal(published('local')?.bytes);
    expect([disk('shared'), disk('laptop')]).to.deep.equal([0, 0]);
  });

  it('is a table of the plan', () => {
    const text = renderPlanText(plan, PLAIN);
    expect(text).to.match(/\n {2}local +folder releases +about \d+ files, [\d.]+ MiB\n/);
    expect(text).to.match(/\n {2}canary +folder others \(a canary with 12\.5% of the requests\) +about/);
    expect(text).to.match(/\n {2}shared +Hugging Face Hub org\/name \(public, branch v2\) +about/);
    expect(text).to.match(
      /\n {2}adapter_alone +Hugging Face Hub org\/adapter \(private, branch main\) +about/,
    );
    expect(text).to.match(/\n {2}laptop +Ollama legal:v2 +about/);
  });
});
