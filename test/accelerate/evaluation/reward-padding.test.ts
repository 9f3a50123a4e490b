/** Reward models over a base whose tokenizer names no token that pads: transformers reads them from a padded batch. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { AccelerateEngine } from '../../../src/compute/accelerate/engine.js';
import { run as merge } from '../../../src/pipeline/stages/merge/run.js';
import { artefact, contextOf, stageOf, tiny } from '../../compute/evaluation/tiny.js';
import { OBJECTIVES, pairs } from '../../pipeline/stages/train/preference-world.js';
import { ranks, withPython } from '../python.js';
import { type Trained, testFolders, trained } from '../train/trained.js';
import { scoreTexts } from './score-texts.js';

const END = 258;
/** Texts of unequal lengths, which end as answers do. */
const TEXTS = ['A', 'What is MIT?', 'Permission'].map((text) => [...Buffer.from(text), END]);

const ENGINES: Readonly<Record<string, AccelerateEngine | undefined>> = {
  'the embedded engine': undefined,
  'the accelerate engine': ranks(1),
};

withPython('a reward model over a base without a token that pads', () => {
  const folder = testFolders();
  const objective = OBJECTIVES['reward'];
  let base = '';
  let adapter: Trained;

  const settings = () => ({
    ...{ base: { call: 'local', args: { folder: base } }, objective, stop: { steps: 2 }, precision: 'f32' },
    lora: { rank: 2, alpha: 4, dropout: 0, targets: 'all_linear' },
  });
  const rewarding = (engine?: AccelerateEngine, chosen = {}): Promise<Trained> =>
    trained(folder('train'), { rows: pairs(), settings: settings() as never, chosen }, engine);

  before(async () => {
    base = folder('base');
    cpSync(join(tiny, 'base'), base, { recursive: true });
    for (const name of ['config.json', 'generation_config.json', 'tokenizer_config.json']) {
      const { pad_token: _, pad_token_id: __, ...rest } = JSON.parse(readFileSync(join(base, name), 'utf8'));
      writeFileSync(join(base, name), JSON.stringify(rest));
    }
    adapter = await rewarding();
  });

  /** The scores of a padded batch are those of each text alone; gives the latter. */
  function expectPadded(model: string): readonly number[] {
    const { alone, together, pad } = scoreTexts({ base: model, tokenizer: model, texts: TEXTS });
    expect(pad).to.be.a('number').and.not.to.equal(END);
    expect(JSON.parse(readFileSync(join(model, 'config.json'), 'utf8'))).to.include({ pad_token_id: pad });
    for (const [at, score] of alone.entries())
      expect(together?.[at], `text ${at}`).to.be.closeTo(score, 1e-5 * Math.max(1, Math.abs(score)));
    return alone;
  }

  for (const [name, engine] of Object.entries(ENGINES)) {
    it(`is padded by another one where ${name} merges`, async () => {
      const reference = { stage: 'adapter', port: 'last' };
      const dataset = { stage: 'dialogs', port: 'train' };
      const trainer = stageOf('train', 'adapter', { ...settings(), dataset });
      const input = artefact(trainer, adapter.path('.'), { outputs: { last: 'adapter/last' } });
      const stage = stageOf('merge', 'fused', { base: settings().base, adapter: reference, dtype: 'f32' });
      const context = contextOf(stage, [input], folder('merge'), engine && { engine });
      await merge(context);
      const found = expectPadded(join(context.output.path, 'model'));
      const { alone } = scoreTexts({ base, adapter: adapter.path('adapter/last'), texts: TEXTS });
      for (const [at, score] of alone.entries())
        expect(found[at], `text ${at}`).to.be.closeTo(score, 1e-5 * Math.max(1, Math.abs(score)));
    });

    it(`is padded by another one where ${name} trains every weight`, async () => {
      const whole = await rewarding(engine, { method: 'full', rank: 0, alpha: 0 });
      expectPadded(whole.path('model/last'));
    });
  }
});
