import { appendFileSync, cpSync } from 'node:fs';
import { expect } from 'chai';
import { openDigests } from '../../../src/language/host/digests.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { Program } from '../../../src/language/ir/program.js';
import { changedFile, keyOf, type StageKey, stageParts } from '../../../src/pipeline/planner/keys.js';
import type { TrainPlan } from '../../../src/pipeline/stages/train-plan/plan.js';
import { type Folder, pipelineFolder, STARTER, TEXT } from './pipeline.js';

const CHOSEN: TrainPlan = {
  method: 'lora',
  microBatch: 8,
  accumulation: 2,
  maxLength: 256,
  rank: 16,
  alpha: 32,
  checkpointedBlocks: 0,
  logitsChunk: 1024,
};

describe('stage keys', () => {
  let folder: Folder;
  beforeEach(() => {
    folder = pipelineFolder();
  });
  afterEach(() => folder.remove());

  const keysOf = (
    program: Program,
    chosen: Partial<TrainPlan> = {},
    version = '1.0.0',
  ): ReadonlyMap<string, StageKey> => {
    const keys = new Map<string, StageKey>();
    const context = { digests: openDigests(folder.host), runtime: { name: 'onnx', version } };
    for (const stage of program.stages) {
      const parts = stageParts(program, stage, folder.host, context, keys);
      keys.set(stage.name, keyOf(parts, stage.kind === 'train' ? { ...CHOSEN, ...chosen } : undefined));
    }
    return keys;
  };
  const inOrder = (text: string, chosen: Partial<TrainPlan> = {}): readonly string[] =>
    [...keysOf(folder.program(text), chosen).values()].map(({ key }) => key);
  /** Names of the stages whose key is another. */
  const changed = (text: string, chosen: Partial<TrainPlan> = {}): readonly string[] => {
    const before = keysOf(folder.program(TEXT));
    const after = keysOf(folder.program(text), chosen);
    return [...before].filter(([name, { key }]) => after.get(name)?.key !== key).map(([name]) => name);
  };
  const edited = (from: string, to: string): string => {
    expect(TEXT).to.include(from);
    return TEXT.replaceAll(from, to);
  };

  it('do not change with layout, order of settings or comments', () => {
    const text = edited(
      '  dedupe = [exact]\n  split = { train: 80%, valid: 10%, test: 10% }\n',
      '  // first the split\n  split = {\n    test: 10%,\n    train: 80%, valid: 10%,\n  }\n\n  dedupe = [exact]\n',
    );
    expect(inOrder(text)).to.deep.equal(inOrder(TEXT));
  });

  it('do not change when stages are renamed', () => {
    const text = edited('rows', 'records').replaceAll('dialogs', 'talks').replaceAll('adapter.', 'tuned.');
    expect(inOrder(text.replace('train adapter', 'train tuned'))).to.deep.equal(inOrder(TEXT));
  });

  it('do not change when a data file is renamed or a default is spelled out', () => {
    const before = inOrder(TEXT);
    folder.remove();
    folder = pipelineFolder();
    folder.write('data/a.jsonl', folder.host.readText(`${folder.path}/data/a.jsonl`));
    const spelled = edited('max_length = 256tok', 'max_length = 256tok\n  overflow = drop');
    expect(inOrder(spelled)).to.deep.equal(before);
    const renamed = edited('data/*.jsonl', 'other/*.jsonl');
    for (const name of ['a', 'b'])
      folder.write(`other/${name}2.jsonl`, folder.host.readText(`${folder.path}/data/${name}.jsonl`));
    expect(inOrder(renamed)).to.deep.equal(before);
  });

  it('do not change with budgets, requirements or what only leads to a choice', () => {
    const text = edited('peak_memory <= 2GiB', 'peak_memory <= 1GiB')
      .replace('require perplexity < baseline.perplexity', 'require perplexity < 3')
      .replace('shorten(min: 128tok)', 'shorten(min: 64tok)');
    expect(changed(text)).to.deep.equal([]);
  });

  it('change from the stage whose setting changes on down', () => {
    expect(changed(edited('rank: 16', 'rank: 8'))).to.deep.equal(['adapter', 'quality', 'fused', 'local']);
    expect(changed(edited('rouge_l]', 'rouge_l]\n  samples = 3'))).to.deep.equal(['quality', 'local']);
    expect(changed(edited('max_length = 256tok', 'max_length = 128tok'))).to.deep.equal([
      'dialogs',
      'adapter',
      'quality',
      'fused',
      'local',
    ]);
  });

  it('change with each part of a choice', () => {
    const fields: readonly Partial<TrainPlan>[] = [
      { method: 'qlora' },
      { microBatch: 4 },
      { maxLength: 128 },
      { rank: 8 },
      { alpha: 16 },
      { checkpointedBlocks: 1 },
      { logitsChunk: 512 },
    ];
    for (const field of fields) expect(changed(TEXT, field), JSON.stringify(field)).to.include('adapter');
  });

  it('change with the content of a data file, a prompt and a seed of weights', () => {
    const before = keysOf(folder.program());
    const differ = (after: ReadonlyMap<string, StageKey>): readonly string[] =>
      [...before].filter(([name, { key }]) => after.get(name)?.key !== key).map(([name]) => name);
    folder.write('prompt.md', 'Answer at length.');
    expect(differ(keysOf(folder.program()))[0]).to.equal('dialogs');
    folder.write('prompt.md', 'Answer briefly.');
    folder.write('data/b.jsonl', '{"instruction":"q","output":"a"}');
    expect(differ(keysOf(folder.program()))[0]).to.equal('rows');
    expect(changed(edited('seed: 1)', 'seed: 2)'))[0]).to.equal('adapter');
  });

  it('change with the special tokens of a base, the rows that it reads too', () => {
    const after = changed(TEXT.replaceAll('seed: 1)', 'seed: 1, special_tokens: ["<a>"])'));
    expect(after).to.include.members(['dialogs', 'adapter']).and.not.include('rows');
    const parts = keysOf(folder.program(TEXT.replaceAll('seed: 1)', 'seed: 1, special_tokens: ["<a>"])')));
    expect(parts.get('adapter')?.parts).to.include({ 'settings.base.special_tokens': '["<a>"]' });
    const plain = TEXT.replaceAll('seed: 1)', 'seed: 1, added_tokens: ["a"])');
    expect(changed(plain)).to.deep.equal(after);
    expect(keysOf(folder.program(plain)).get('adapter')?.parts).to.include({
      'settings.base.added_tokens': '["a"]',
    });
  });

  it('change with the files of an adapter to go on from, not with its name', () => {
    const fixture = `${nodeHost().packageFolder}/test/fixtures/peft/adapter`;
    for (const name of ['one', 'two']) cpSync(fixture, `${folder.path}/${name}`, { recursive: true });
    const text = (name: string): string =>
      edited('  lora = { rank: 16, alpha: 32, dropout: 5% }', `  start = peft("${name}")`);
    const keyOf = (name: string): string => keysOf(folder.program(text(name))).get('adapter')?.key ?? '';
    const before = keyOf('one');
    expect(changed(text('one'))).to.include('adapter');
    expect(keyOf('two')).to.equal(before);
    const parts = keysOf(folder.program(text('one'))).get('adapter')?.parts ?? {};
    expect(parts).to.include.keys('file:one/adapter_config.json', 'file:one/adapter_model.safetensors');
    for (const name of ['adapter_config.json', 'adapter_model.safetensors']) {
      appendFileSync(`${folder.path}/two/${name}`, ' ');
      expect(keyOf('two'), name).to.not.equal(before);
    }
  });

  it('change with all that a merge takes of the folder of an adapter, not with its name', () => {
    const fixture = `${nodeHost().packageFolder}/test/fixtures/peft/adapter`;
    const text = (name: string): string => edited('adapter = adapter.best', `adapter = peft("${name}")`);
    for (const name of ['one', 'two']) cpSync(fixture, `${folder.path}/${name}`, { recursive: true });
    const keyOf = (name: string): string => keysOf(folder.program(text(name))).get('fused')?.key ?? '';
    const before = keyOf('one');
    expect(keyOf('two')).to.equal(before);
    expect(changed(text('one')))
      .to.include('fused')
      .and.not.include('adapter');
    const parts = keysOf(folder.program(text('one'))).get('fused')?.parts ?? {};
    expect(parts).to.include.keys('file:one/adapter_config.json', 'file:one/adapter_model.safetensors');
    const seen = [before];
    for (const name of ['adapter_model.safetensors', 'chat_template.jinja', 'training_prompt.json']) {
      appendFileSync(`${folder.path}/two/${name}`, ' ');
      expect(seen, name).not.to.include(keyOf('two'));
      seen.push(keyOf('two'));
    }
    folder.write('two/optimizer.pt', 'state');
    expect(keyOf('two')).to.equal(seen.at(-1));
  });

  it('change with all that an evaluation takes of the folder of an adapter', () => {
    cpSync(`${nodeHost().packageFolder}/test/fixtures/peft/adapter`, `${folder.path}/one`, {
      recursive: true,
    });
    const text = edited(
      'model = adapter.best',
      `model = untrained("${STARTER}", seed: 1)\n  adapter = peft("one")`,
    );
    const keyOf = (): string => keysOf(folder.program(text)).get('quality')?.key ?? '';
    const seen = [keyOf()];
    for (const name of ['adapter_config.json', 'adapter_model.safetensors', 'labels.json']) {
      appendFileSync(`${folder.path}/one/${name}`, ' ');
      expect(seen, name).not.to.include(keyOf());
      seen.push(keyOf());
    }
    folder.write('one/training_prompt.json', '{}');
    expect(keyOf()).to.equal(seen.at(-1));
  });

  it('change with every setting of the adapter', () => {
    for (const setting of [
      'rslora: true',
      'dora: true',
      'layers: [0]',
      'rank_pattern: { q_proj: 4 }',
      'alpha_pattern: { q_proj: 4 }',
      'targets: ["q_proj"]',
      'targets: [all_linear, embed_tokens]',
      'targets: [all_linear, lm_head]',
      'init: pissa',
      'modules_to_save: [lm_head]',
    ])
      expect(changed(edited('dropout: 5%', `dropout: 5%, ${setting}`)), setting).to.include('adapter');
  });

  it('change with the runtime where something is computed, and nowhere else', () => {
    const program = folder.program();
    const keys = (version: string) => keysOf(program, {}, version);
    const [before, after] = [keys('1.0.0'), keys('2.0.0')];
    expect(before.get('dialogs')?.key).to.equal(after.get('dialogs')?.key);
    expect(before.get('adapter')?.key).to.not.equal(after.get('adapter')?.key);
    expect(after.get('adapter')?.parts).to.include({ runtime: 'onnx 2.0.0', 'settings.lora.rank': '16' });
  });

  const seen = (program: Program) => (name: string) => {
    const { host } = folder;
    const stage = program.stages.find((other) => other.name === name);
    const keyed = keysOf(program).get(name);
    if (stage === undefined || keyed === undefined) throw new Error(`no stage ${name}`);
    return () =>
      changedFile(program, stage, keyed.parts, host, {
        digests: openDigests(host),
        runtime: { name: 'onnx', version: '1.0.0' },
      });
  };

  it('find a file that changed since, also beside repositories that are pinned', () => {
    const program: Program = {
      ...folder.program(TEXT),
      repositories: [{ kind: 'model', id: 'a/b', revision: 'main', commit: '0'.repeat(40), files: [] }],
    };
    const changedIn = seen(program)('rows');
    expect(changedIn()).to.equal(undefined);
    appendFileSync(`${folder.path}/data/a.jsonl`, '\n');
    expect(changedIn()).to.equal('data/a.jsonl');
  });
});
