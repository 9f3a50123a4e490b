import { join } from 'node:path';
import { expect } from 'chai';
import { ModuleLoader } from '../../../src/language/check/modules.js';
import { compile } from '../../../src/language/compile.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { Value } from '../../../src/language/ir/program.js';
import { overlayHost } from '../../helpers/overlay-host.js';

const host = nodeHost();
const loader = new ModuleLoader(host);
const presets = loader
  .libraryNames()
  .flatMap((module) => loader.library(module)?.tree.presets.map((preset) => ({ module, preset })) ?? []);

/** Presets that say what is measured, since they require it. */
const MEASURING: readonly string[] = ['forgetting', 'safety'];

/** A pipeline in which a block of each kind can apply presets. */
function withPresets(kind: string, names: readonly string[], module: string): string {
  const using = (at: string): string => (at === kind ? ` using ${names.join(', ')}` : '');
  const measured = names.some((name) => MEASURING.includes(name))
    ? ''
    : 'perplexity, rouge_l, exact_match, unigram_perplexity';
  return `edition 2026
import { jsonl } from "std/data"
import { chat } from "std/format"
${measured && `import { ${measured} } from "std/eval"`}
import { ${names.join(', ')} } from "${module}"
data rows${using('data')} { source = jsonl("data/general.jsonl"), split = { train: 50%, test: 50% } }
format dialogs${using('format')} { from = rows, template = chat() }
train adapter${using('train')} { base = starter(), dataset = dialogs.train, optimizer = adamw(rate: 2e-4) }
eval quality${using('eval')} {
  model = adapter.best
  dataset = dialogs.test
  baseline = starter()
  ${measured && `metrics = [${measured}]`}
}
budget machine${using('budget')} { require wall_time <= 100d }
`;
}

const compiled = (kind: string, names: readonly string[], module: string) => {
  const world = overlayHost(join(host.packageFolder, 'test/corpus/valid'), {
    'p.ftp': withPresets(kind, names, module),
  });
  return compile(world, 'p.ftp');
};

const lora = (...names: string[]): Readonly<Record<string, Value>> => {
  const { program } = compiled('train', names, 'std/train');
  const stage = program?.stages.find(({ kind }) => kind === 'train');
  return stage?.settings['lora'] as Readonly<Record<string, Value>>;
};
const fallback = (name: string): readonly string[] => {
  const { program } = compiled('train', [name], 'std/train');
  const stage = program?.stages.find(({ kind }) => kind === 'train');
  const calls = (stage?.settings['fallback'] ?? []) as readonly { readonly call: string }[];
  return calls.map(({ call }) => call);
};

describe('presets of the standard library', () => {
  for (const { module, preset } of presets)
    it(`${module} ${preset.name.text} can be applied, and says what it is for`, () => {
      expect(preset.doc).to.match(/\w/);
      const { diagnostics, program } = compiled(preset.target.text, [preset.name.text], module);
      expect(diagnostics.map(({ message }) => message)).to.deep.equal([]);
      const { requirements, properties, using } = preset;
      if (preset.target.text === 'budget') {
        expect(program?.budgets[0]?.requires).to.have.length(1 + requirements.length);
        return;
      }
      const stage = program?.stages.find(({ kind }) => kind === preset.target.text);
      expect(stage?.requires).to.have.length(requirements.length);
      const sources = Object.values(stage?.presets ?? {});
      if (properties.length + using.length > 0)
        expect(sources.every((source) => source.module === module) && sources.length > 0).to.equal(true);
      expect(properties.length + requirements.length + using.length).to.be.above(0);
    });

  it('set alpha to twice the rank', () => {
    for (const rank of [8, 16, 32, 64, 128])
      expect(lora(`rank_${rank}`)).to.include({ rank, alpha: 2 * rank });
  });

  it('go together, and the later ones win', () => {
    expect(lora('rank_32', 'attention_only')).to.include({ rank: 32, alpha: 64, targets: 'attention' });
    expect(lora('thorough', 'rank_8')).to.include({
      rank: 8,
      alpha: 16,
      dropout: 0.05,
      targets: 'all_linear',
    });
    expect(lora('light')).to.include({ rank: 8, alpha: 16, targets: 'query_value' });
  });

  it('change what can change the result only where they say so', () => {
    expect(fallback('careful')).to.deep.equal(['checkpointing', 'smaller_micro_batch']);
    expect(fallback('to_qlora')).to.deep.equal([...fallback('careful'), 'qlora']);
    expect(fallback('full_ladder')).to.deep.equal([...fallback('to_qlora'), 'shorten', 'lower_rank']);
  });
});
