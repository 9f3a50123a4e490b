import { expect } from 'chai';
import { PLAIN } from '../../../src/pipeline/planner/render/columns.js';
import {
  explainedNames,
  foreignAnswer,
  settingsNamed,
} from '../../../src/tools/insight/settings/setting-page.js';
import { settingPagesText } from '../../../src/tools/insight/settings/setting-page-text.js';

describe('a setting by its name', () => {
  it('is found by its name, by the end of its path and by the whole of it', () => {
    for (const name of ['rank', 'lora.rank', 'train.lora.rank']) {
      const [found, more] = settingsNamed(name);
      expect(more).to.equal(undefined);
      expect(found).to.include({
        name: 'train.lora.rank',
        type: 'a whole number, 1 to 1024',
        default: '16',
        line: 'lora = { rank: 16 }',
      });
    }
  });

  it('says of which functions it is an argument', () =>
    expect(settingsNamed('warmup')[0]?.of).to.include.members(['cosine', 'linear']));

  it('lists where a name occurs that has several meanings', () => {
    const names = settingsNamed('seed').map(({ name }) => name);
    expect(names).to.include.members(['train.seed', 'data.split.seed', 'eval.seed']);
    expect(settingPagesText('seed', settingsNamed('seed'), undefined, PLAIN, 80)).to.match(
      /^`seed` has \d+ meanings:\n {2}train\.seed +Seed of/,
    );
  });

  it('knows functions, blocks, and arguments of what stands in lists', () => {
    expect(settingsNamed('adamw')[0]?.doc).to.contain('Adam');
    expect(settingsNamed('merge')[0]?.doc).to.contain('adapter');
    expect(settingsNamed('up_to')[0]?.line).to.equal('exact_match(up_to: …)');
  });

  it('translates what other tools call it', () => {
    expect(foreignAnswer('learning_rate')?.setting).to.equal('train.optimizer.rate');
    expect(foreignAnswer('bf16')?.text).to.contain('`precision = bf16` in a `train` block');
    expect(foreignAnswer('report_to')?.text).to.contain('not needed');
    expect(foreignAnswer('rank')).to.equal(undefined);
  });

  it('has an answer to every name that it offers', () => {
    for (const name of explainedNames()) {
      const foreign = foreignAnswer(name);
      const found = settingsNamed(foreign?.setting ?? name);
      expect(found.length > 0 || foreign !== undefined, name).to.equal(true);
    }
  });

  it('keeps to the width of a terminal', () => {
    for (const name of ['train', 'warmup', 'seed', 'targets']) {
      const text = settingPagesText(name, settingsNamed(name), undefined, PLAIN, 80);
      for (const line of text.split('\n')) expect(line.length, line).to.be.at.most(80);
    }
  });
});
