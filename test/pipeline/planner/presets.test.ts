import { expect } from 'chai';
import { plan } from '../../../src/pipeline/planner/plan.js';
import { PLAIN } from '../../../src/pipeline/planner/render/columns.js';
import { renderPlanText } from '../../../src/pipeline/planner/render/text.js';
import { pipelineFolder, QUICK, TEXT } from './pipeline.js';

describe('a plan of a pipeline with presets', () => {
  const folder = pipelineFolder();
  after(() => folder.remove());

  it('names for each setting the preset that set it, and its place', async () => {
    const using = TEXT.replace(
      'import { chat }',
      'import { rank_8, careful } from "std/train"\nimport { chat }',
    )
      .replace(
        'train adapter',
        'preset mine for train { seed = 3 }\ntrain adapter using rank_8, careful, mine',
      )
      .replace('lora = { rank: 16, alpha: 32, dropout: 5% }', 'lora = { alpha: 8 }')
      .replace(/\n *fallback = .*/, '');
    const made = await plan(folder.program(using), folder.host, QUICK);
    const effective = made.stages.find(({ kind }) => kind === 'train')?.effective ?? {};
    expect(effective['lora.rank']).to.deep.equal({
      value: 8,
      from: 'preset',
      preset: 'rank_8',
      module: 'std/train',
    });
    expect(effective['lora.alpha']).to.deep.equal({ value: 8, from: 'author' });
    expect(effective['lora.dropout']).to.deep.equal({ value: 0, from: 'default' });
    expect(effective['seed']).to.include({ value: 3, preset: 'mine' });
    const text = renderPlanText(made, PLAIN);
    expect(text).to.match(/Set by presets\n {2}adapter +rank_8 +std\/train +lora\.rank = 8\n/);
    expect(text).to.match(
      /adapter +careful +std\/train +fallback = \[checkpointing, smaller_micro_batch\]\n/,
    );
  });
});
