import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { LoraConfig } from '../../../../src/compute/models/adapters/config.js';
import { adapterShapes } from '../../../../src/compute/models/adapters/kinds.js';
import { PROMPT } from '../../../../src/compute/models/adapters/prompt.js';
import { configAt } from '../../../../src/compute/models/config-at.js';
import { f32Writable, safetensorsChunks } from '../../../../src/compute/models/safetensors/write.js';
import { adapterFiles } from '../../../../src/compute/packaging/adapters.js';
import { sizeOf } from '../../../../src/compute/tensor/shape.js';
import { compile } from '../../../../src/language/compile.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { checkTraining } from '../../../../src/pipeline/stages/train/check.js';
import { bottleneckFixture } from '../../../compute/models/decoder/bottleneck-fixture.js';
import { overlayHost } from '../../../helpers/overlay-host.js';

const root = nodeHost().packageFolder;
const corpus = join(root, 'test/corpus/invalid');

/** Rows as a model takes them. */
const rowsOf = (model: string): string => `data rows {
  source = jsonl("data/rows.jsonl")
}

format dialogs {
  from = rows
  template = chat()
  model = ${model}
}
`;

const pipeline = (
  settings: string,
  { base = 'starter()', using = '', model = 'starter()' } = {},
): string => `edition 2026

import { jsonl } from "std/data"
import { chat } from "std/format"
import { rank_64 } from "std/train"

${rowsOf(model)}
train adapter ${using}{
  base = ${base}
  dataset = dialogs.train
  optimizer = adamw(rate: 2e-4)
  ${settings}
}
`;

describe('a training against its base', () => {
  let adapter = '';
  beforeEach(() => {
    adapter = mkdtempSync(join(tmpdir(), 'ftpc-adapter-'));
    cpSync(join(root, 'test/fixtures/peft/adapter'), adapter, { recursive: true });
    rename('models/base');
  });
  afterEach(() => rmSync(adapter, { recursive: true, force: true }));

  /** Says what the adapter was trained over. */
  function rename(base: string): void {
    const path = join(adapter, 'adapter_config.json');
    const config = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...config, base_model_name_or_path: base }));
  }

  const base = `local("${join(root, 'test/fixtures/peft/base')}")`;

  interface Found {
    readonly code: string;
    readonly severity: string;
    readonly marked: string;
    readonly message: string;
    readonly help: string | undefined;
  }

  function found(
    settings: string,
    options: { base?: string; using?: string; model?: string } = {},
  ): readonly Found[] {
    return foundIn(pipeline(settings, options));
  }

  function foundIn(text: string): readonly Found[] {
    const host = overlayHost(corpus, { 'pipeline.ftp': text });
    const compiled = compile(host, 'pipeline.ftp');
    expect(compiled.diagnostics.filter(({ severity }) => severity === 'error')).to.deep.equal([]);
    return checkTraining(compiled, host).map(({ code, severity, at, message, help }) => ({
      code,
      severity,
      marked: at !== undefined && 'start' in at ? text.slice(at.start, at.end) : '',
      message,
      help,
    }));
  }

  it('finds nothing where everything goes together', () => {
    for (const settings of [
      '',
      'lora = { targets: [q_proj, "mlp.up_proj", "model.layers.2.self_attn.v_proj"], layers: [0, 1] }',
      'lora = { rslora: true, dora: true, rank_pattern: { q_proj: 4, "layers.1.*down_proj": 2 }, alpha_pattern: { "mlp.up_proj": 3 } }',
    ])
      expect(found(settings)).to.deep.equal([]);
    expect(found(`start = peft("${adapter}")`, { base })).to.deep.equal([]);
  });

  it('says what a merge makes of a base that ties embedding and head', () => {
    for (const targets of [
      '[all_linear, embed_tokens]',
      '["model.embed_tokens"]',
      '[lm_head, q_proj], dora: true',
    ]) {
      const [note, more] = found(`lora = { targets: ${targets} }`);
      expect(more).to.equal(undefined);
      expect(note, targets).to.include({ code: 'FTP2332', severity: 'info' });
      expect(note?.help).to.match(
        /[\d,]+ weights more, and its `config.json` says `"tie_word_embeddings": false`/,
      );
    }
    const neox = join(adapter, 'neox');
    mkdirSync(neox);
    const { config } = JSON.parse(readFileSync(join(root, 'test/fixtures/architectures/neox.json'), 'utf8'));
    writeFileSync(join(neox, 'config.json'), JSON.stringify(config));
    const settings = 'lora = { targets: [query_key_value, embed_tokens, lm_head], exclude: [lm_head] }';
    expect(found(settings, { base: `untrained("${neox}")` })).to.deep.equal([]);
  });

  it('finds biases that there are none of, in the base or in the layers with factors', () => {
    const [none] = found('lora = { bias: lora_only }');
    expect(none).to.include({ code: 'FTP2211', marked: 'lora_only', help: 'remove `bias`' });
    const qwen = join(adapter, 'qwen2');
    mkdirSync(qwen);
    const { config } = JSON.parse(readFileSync(join(root, 'test/fixtures/architectures/qwen2.json'), 'utf8'));
    writeFileSync(join(qwen, 'config.json'), JSON.stringify(config));
    const options = { base: `untrained("${qwen}")` };
    const [others] = found('lora = { targets: [down_proj], bias: lora_only }', options);
    expect(others).to.include({ code: 'FTP2211' });
    expect(others?.message).to.match(/no layer of `.*qwen2` that has an adapter has a bias/);
    expect(others?.help).to.match(/`bias: all`, which trains \d+ others/);
    for (const lora of ['{ targets: [down_proj], bias: all }', '{ bias: lora_only }', '{ bias: none }'])
      expect(found(`lora = ${lora}`, options)).to.deep.equal([]);
  });

  it('finds what bottleneck adapters do not go with', () => {
    expect(found('adapter = { kind: pfeiffer, where: [mlp, attention], layers: [0, 1] }')).to.deep.equal([]);
    const [full] = found('adapter = { reduction: 8 }', { using: 'using full ' });
    expect(full).to.include({ code: 'FTP0770' });
    expect(full?.message).to.match(/`using full` cannot be combined with bottleneck adapters/);
    const text = pipeline('adapter = {}').replace('rate: 2e-4', 'rate: 2e-4, loraplus_ratio: 16');
    const host = overlayHost(corpus, { 'pipeline.ftp': text });
    const [ratio, more] = checkTraining(compile(host, 'pipeline.ftp'), host);
    expect(ratio).to.include({ code: 'FTP0770' });
    expect(ratio?.message).to.match(/`loraplus_ratio`/);
    expect(more).to.equal(undefined);
    const gemma = join(adapter, 'gemma');
    mkdirSync(gemma);
    const { config } = JSON.parse(readFileSync(join(root, 'test/fixtures/bottleneck/gemma2.json'), 'utf8'));
    writeFileSync(join(gemma, 'config.json'), JSON.stringify(config));
    const options = { base: `untrained("${gemma}")` };
    expect(found('adapter = { kind: pfeiffer }', options)[0]).to.include({
      code: 'FTP0773',
      marked: 'pfeiffer',
    });
    expect(found('adapter = { kind: houlsby, reduction: 4 }', options)).to.deep.equal([]);
    expect(found('adapter = { kind: parallel }', options)).to.deep.equal([]);
  });

  it('names both where a setting contradicts the bottleneck adapters to go on from', () => {
    const name = 'llama-layers';
    const { adapter: taken, config, recording } = bottleneckFixture(name);
    const files = adapterFiles(taken, { base: { name: null, revision: null, shape: config } });
    for (const [file, content] of Object.entries(files))
      writeFileSync(join(adapter, file), typeof content === 'string' ? content : Buffer.concat([...content]));
    const model = join(adapter, 'model');
    mkdirSync(model);
    writeFileSync(join(model, 'config.json'), JSON.stringify(recording.config));
    const start = `start = adapterhub("${adapter}")`;
    const options = { base: `untrained("${model}")` };
    expect(found(start, options)).to.deep.equal([]);
    expect(
      found(
        `${start}\n  adapter = { kind: pfeiffer, where: [mlp, attention], layers: [1, 2], dropout: 10% }`,
        options,
      ),
    ).to.deep.equal([]);
    const problems = found(
      `${start}\n  adapter = { kind: houlsby, reduction: 8, where: [mlp], layers: [1] }`,
      options,
    );
    expect(problems.map(({ code, marked }) => [code, marked])).to.deep.equal([
      ['FTP0759', 'houlsby'],
      ['FTP0759', '8'],
      ['FTP0759', '[mlp]'],
      ['FTP0759', '[1]'],
    ]);
    expect(problems[1]?.message).to.contain(
      `\`adapter.reduction\` is 8, but the adapter \`${adapter}\` has 4`,
    );
    expect(found(`${start}\n  adapter = { init: bert }`, options)[0]).to.include({
      code: 'FTP0760',
      marked: 'bert',
    });
    expect(found(`${start}\n  lora = { rank: 8 }`, options)[0]).to.include({ code: 'FTP0770', marked: '8' });
    expect(found(start, { base })[0]).to.include({ code: 'FTP0838' });
  });

  it('refuses bottlenecks where the adapter to go on from has low-rank factors', () => {
    const [problem] = found(`start = peft("${adapter}")\n  adapter = { reduction: 8 }`, { base });
    expect(problem).to.include({ code: 'FTP0760' });
    expect(problem?.message).to.match(/has no bottlenecks/);
  });

  const WRONG: readonly (readonly [string, string, string, RegExp])[] = [
    ['lora = { targets: ["q_prj"] }', 'FTP0753', '"q_prj"', /did you mean `q_proj`/],
    ['lora = { targets: ["attn.q_proj"] }', 'FTP0753', '"attn.q_proj"', /did you mean `self_attn.q_proj`/],
    ['lora = { targets: ["c_attn", q_proj] }', 'FTP0753', '"c_attn"', /its blocks have `q_proj`/],
    [
      'lora = { targets: [q_proj, embed_tokens], dora: true }',
      'FTP2330',
      'true',
      /write `dora: false`, or remove `embed_tokens`/,
    ],
    ['lora = { targets: [q_proj, lm_head], init: pissa }', 'FTP2330', 'pissa', /write `init: kaiming`/],
    [
      'lora = { targets: [q_proj, embed_tokens], modules_to_save: [embed_tokens] }',
      'FTP2331',
      '[embed_tokens]',
      /in one of `targets` and `modules_to_save`/,
    ],
    ['lora = { targets: [q_proj, embed_tokens], layers: [1] }', 'FTP0755', 'embed_tokens', /to `layers`/],
    ['lora = { targets: [q_proj, "wte"] }', 'FTP0753', '"wte"', /its blocks have `q_proj`/],
    [
      'lora = { targets: [q_proj, "layers.3.mlp.up_proj"], layers: [0, 1] }',
      'FTP0755',
      '"layers.3.mlp.up_proj"',
      /to `layers`/,
    ],
    ['lora = { layers: [0, 6] }', 'FTP0756', '6', /layers from 0 to 5/],
    ['lora = { init: pissa, dora: true }', 'FTP0762', 'pissa', /remove `init` or `dora`/],
    [
      'lora = { init: pissa, rslora: true, alpha_pattern: { q_proj: 8 } }',
      'FTP0762',
      'pissa',
      /remove `init` or `rslora`/,
    ],
    ['prompt = { tokens: 20 }\n  lora = { rank: 8 }', 'FTP0764', '8', /remove `lora.rank` or `prompt`/],
    ['prompt = { tokens: 20 }\n  batch = { packing: true }', 'FTP0764', 'true', /`batch.packing`/],
    ['prompt = { tokens: 512 }', 'FTP0765', '512', /lower `prompt.tokens`/],
    ['adapter = {}\n  lora = { rank: 8 }', 'FTP0770', '8', /remove `lora.rank` or `adapter`/],
    ['adapter = { layers: [0, 6] }', 'FTP0756', '6', /layers from 0 to 5/],
    ['adapter = { reduction: 1000 }', 'FTP0772', '1000', /lower `reduction`/],
    ['prefix = { tokens: 20 }\n  lora = { rank: 8 }', 'FTP0767', '8', /remove `lora.rank` or the prefix/],
    ['prefix = { tokens: 512 }', 'FTP0768', '512', /lower `prefix.tokens`/],
    ['lora = { init: pissa, rank: 256 }', 'FTP0763', '256', /to 64 or less|to \d+ or less/],
    ['lora = { rank_pattern: { "q_proj(": 4 } }', 'FTP0757', '4', /end of a path/],
    ['lora = { alpha_pattern: { q_porj: 4 } }', 'FTP0758', '4', /did you mean `q_proj`/],
    [
      'lora = { targets: [q_proj], rank_pattern: { v_proj: 4 } }',
      'FTP0758',
      '4',
      /are `q_proj`|mean `q_proj`/,
    ],
  ];
  for (const [settings, code, marked, help] of WRONG)
    it(`${code}: ${settings}`, () => {
      const [problem, more] = found(settings);
      expect(more).to.equal(undefined);
      expect(problem).to.include({ code, severity: 'error' });
      expect(problem?.marked).to.equal(marked);
      expect(problem?.help).to.match(help);
    });

  it('names both where a setting contradicts the adapter to go on from', () => {
    const start = `start = peft("${adapter}")`;
    const { r, lora_alpha } = JSON.parse(readFileSync(join(adapter, 'adapter_config.json'), 'utf8'));
    const problems = found(
      `${start}\n  lora = { rank: 64, alpha: ${lora_alpha}, dora: true, targets: [q_proj] }`,
      { base },
    );
    expect(problems.map(({ code, marked }) => [code, marked])).to.deep.equal([
      ['FTP0759', '64'],
      ['FTP0759', '[q_proj]'],
      ['FTP0759', 'true'],
    ]);
    expect(problems[0]?.message).to.contain(`\`lora.rank\` is 64, but the adapter \`${adapter}\` has ${r}`);
    const [preset] = found(start, { base, using: 'using rank_64 ' });
    expect(preset).to.include({ code: 'FTP0759', marked: 'rank_64' });
    const [init] = found(`${start}\n  lora = { init: gaussian }`, { base });
    expect(init).to.include({ code: 'FTP0760', marked: 'gaussian' });
    const [full] = found(start, { base, using: 'using full ' });
    expect(full).to.include({ code: 'FTP0760' });
  });

  it('warns of an adapter that names another base', () => {
    rename('org/other-model');
    const [problem] = found(`start = peft("${adapter}")`, { base });
    expect(problem).to.include({ code: 'FTP0761', severity: 'warning' });
    expect(problem?.message).to.contain('`org/other-model`');
  });

  it('goes on from an adapter over the same base with the same tokens alone', () => {
    const untied = join(root, 'test/fixtures/training/untied');
    const over = (tokens: readonly string[]): string =>
      `local("${untied}"${tokens.length === 0 ? '' : `, special_tokens: ${JSON.stringify(tokens)}`})`;
    const config: LoraConfig = {
      ...{ kind: 'lora', rank: 4, alpha: 8, dropout: 0, targets: ['q_proj'] },
      modulesToSave: ['embed_tokens', 'lm_head'],
    };
    const model = { ...configAt(nodeHost(), untied), vocabSize: 66 };
    const tensors = new Map(
      adapterShapes(model, config).map(({ name, shape }) => [
        name,
        { shape, data: new Float32Array(sizeOf(shape)) },
      ]),
    );
    const files = adapterFiles({ config, tensors }, { base: { name: untied, revision: null } });
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(adapter, name), typeof content === 'string' ? content : Buffer.concat([...content]));
    const start = `start = peft("${adapter}")`;
    const foundOver = (tokens: readonly string[]) =>
      found(start, { base: over(tokens), model: over(tokens) });
    expect(foundOver(['<a>', '</a>'])).to.deep.equal([]);
    for (const tokens of [[], ['<a>']]) {
      const [problem] = foundOver(tokens);
      expect(problem).to.include({ code: 'FTP0838', marked: `peft("${adapter}")` });
      expect(problem?.help).to.contain('`special_tokens`');
    }
  });

  it('refuses an adapter of another shape, with a tensor missing, or in a pickle', () => {
    const start = `start = peft("${adapter}")`;
    expect(found(start)[0]).to.include({ code: 'FTP0838', marked: `peft("${adapter}")` });
    const weights = join(adapter, 'adapter_model.safetensors');
    const name = 'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight';
    const { r } = JSON.parse(readFileSync(join(adapter, 'adapter_config.json'), 'utf8'));
    const chunks = [...safetensorsChunks([f32Writable(name, [r, 4], new Float32Array(4 * r))])];
    const before = readFileSync(weights);
    writeFileSync(weights, Buffer.concat(chunks));
    expect(found(start, { base })[0]?.message).to.match(/lora_B.weight" is missing/);
    writeFileSync(weights, before.subarray(0, 1000));
    expect(found(start, { base })[0]?.code).to.be.oneOf(['FTP0834', 'FTP0837']);
    renameSync(weights, join(adapter, 'adapter_model.bin'));
    expect(found(start, { base })[0]).to.include({ code: 'FTP0837' });
    expect(found(start, { base })[0]?.help).to.match(/pickled weights are not read/);
  });

  for (const [what, code] of [
    ['prompt', 'FTP0766'],
    ['prefix', 'FTP0769'],
  ])
    it(`refuses to merge a ${what}`, () => {
      const merge = '\nmerge fused {\n  base = starter()\n  adapter = adapter.best\n}\n';
      const text = pipeline(`${what} = { tokens: 4 }`) + merge;
      const host = overlayHost(corpus, { 'pipeline.ftp': text });
      const [problem, more] = checkTraining(compile(host, 'pipeline.ftp'), host);
      expect(more).to.equal(undefined);
      expect(problem).to.include({ code });
      expect(problem?.message).to.contain(`\`adapter.best\` is a ${what}`);
    });

  it('refuses to merge bottleneck adapters', () => {
    const merge = '\nmerge fused {\n  base = starter()\n  adapter = adapter.best\n}\n';
    const text = pipeline('adapter = { reduction: 8 }') + merge;
    const host = overlayHost(corpus, { 'pipeline.ftp': text });
    const [problem, more] = checkTraining(compile(host, 'pipeline.ftp'), host);
    expect(more).to.equal(undefined);
    expect(problem).to.include({ code: 'FTP0771' });
    expect(problem?.message).to.contain('`adapter.best` has bottleneck adapters');
  });

  describe('and an adapter of a folder that is merged into it', () => {
    const merged = (over = base): readonly Found[] => {
      const text = `edition 2026\n\nmerge fused {\n  base = ${over}\n  adapter = peft("${adapter}")\n}\n`;
      return foundIn(text);
    };

    it('finds nothing where they go together', () => expect(merged()).to.deep.equal([]));

    it('says nothing of a base that is not here, and reads the adapter', () => {
      expect(merged('hf("org/absent")')).to.deep.equal([]);
      renameSync(join(adapter, 'adapter_model.safetensors'), join(adapter, 'adapter_model.bin'));
      const [problem] = merged('hf("org/absent")');
      expect(problem).to.include({ code: 'FTP0837', marked: `peft("${adapter}")` });
      expect(problem?.help).to.match(/pickled weights are not read/);
    });

    it('warns of an adapter that names another base, and refuses one of another shape', () => {
      expect(merged('starter()')[0]).to.include({ code: 'FTP0838', marked: `peft("${adapter}")` });
      rename('org/other-model');
      expect(merged()[0]).to.include({ code: 'FTP0761', severity: 'warning' });
    });

    it('looks at names and shapes over a base of any architecture', () => {
      const folder = join(adapter, 'mixtral');
      const { config, tensors } = JSON.parse(
        readFileSync(join(root, 'test/compute/models/foreign.json'), 'utf8'),
      ).mixtral;
      mkdirSync(folder);
      writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
      const shapes: readonly (readonly [string, readonly number[]])[] = Object.entries(tensors);
      const weights = shapes.map(([name, shape]) =>
        f32Writable(name, shape, new Float32Array(sizeOf(shape))),
      );
      writeFileSync(join(folder, 'model.safetensors'), Buffer.concat([...safetensorsChunks(weights)]));
      rename('models/mixtral');
      const [query = '', [outputs = 0, inputs = 0] = []] =
        shapes.find(([name]) => name.endsWith('q_proj.weight')) ?? [];
      const over = (module: string, wide = 1): readonly Found[] => {
        const factors = [
          f32Writable(`${module}.lora_A.weight`, [4, wide * inputs], new Float32Array(4 * wide * inputs)),
          f32Writable(`${module}.lora_B.weight`, [outputs, 4], new Float32Array(4 * outputs)),
        ];
        const path = join(adapter, 'adapter_model.safetensors');
        writeFileSync(path, Buffer.concat([...safetensorsChunks(factors)]));
        return merged(`local("${folder}")`);
      };
      const module = `base_model.model.${query.replace(/\.weight$/, '')}`;
      writeFileSync(
        join(adapter, 'adapter_config.json'),
        JSON.stringify({ peft_type: 'LORA', r: 4, lora_alpha: 8, target_modules: ['q_proj', 'other'] }),
      );
      expect(over(module)).to.deep.equal([]);
      const [wide] = over(module, 2);
      expect(wide).to.include({ code: 'FTP0838', marked: `peft("${adapter}")` });
      expect(wide?.message).to.contain(`are for ${2 * inputs} inputs and ${outputs} outputs`);
      const [other] = over('base_model.model.transformer.h.0.other');
      expect(other).to.include({ code: 'FTP0838' });
      expect(other?.message).to.contain('none of the layers that it changes, such as transformer.h.0.other');
      // its weights are still to come
      rmSync(join(folder, 'model.safetensors'));
      expect(over(module, 2)).to.deep.equal([]);
    });

    it('refuses virtual tokens', () => {
      cpSync(join(root, 'test/fixtures/peft/prefix'), adapter, { recursive: true });
      const [problem, more] = merged();
      expect(more).to.equal(undefined);
      expect(problem).to.include({ code: 'FTP0769', marked: `peft("${adapter}")` });
      expect(problem?.message).to.contain(`\`${adapter}\` is a prefix`);
    });
  });

  describe('and an adapter of a folder that is evaluated over it', () => {
    const evaluated = (over = base, model = over): readonly Found[] =>
      foundIn(`edition 2026

import { jsonl } from "std/data"
import { chat } from "std/format"
import { perplexity } from "std/eval"

${rowsOf(model)}
eval quality {
  model = ${over}
  adapter = peft("${adapter}")
  dataset = dialogs.all
  baseline = ${over}
  metrics = [perplexity]
}
`);

    it('finds nothing where they go together, and compares the base with itself', () =>
      expect(evaluated()).to.deep.equal([]));

    it('warns of an adapter that names another base, and refuses one of another shape', () => {
      expect(evaluated('starter()')[0]).to.include({ code: 'FTP0838', marked: `peft("${adapter}")` });
      rename('org/other-model');
      expect(evaluated()[0]).to.include({ code: 'FTP0761', severity: 'warning' });
    });

    it('takes virtual tokens', () => {
      cpSync(join(root, 'test/fixtures/peft/prefix'), adapter, { recursive: true });
      expect(evaluated().filter(({ code }) => code !== 'FTP0761')).to.deep.equal([]);
    });
  });

  it('refuses to pack behind a prompt to go on from', () => {
    const tensors = new Map([[PROMPT, { shape: [4, 16], data: new Float32Array(64) }]]);
    const files = adapterFiles(
      { config: { kind: 'prompt', tokens: 4 }, tensors },
      { base: { name: 'peft/base', revision: null } },
    );
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(adapter, name), typeof content === 'string' ? content : Buffer.concat([...content]));
    const start = `start = peft("${adapter}")`;
    expect(found(start, { base })).to.deep.equal([]);
    const [packed] = found(`${start}\n  batch = { packing: true }`, { base });
    expect(packed).to.include({ code: 'FTP0764', marked: 'true' });
  });

  describe('with a prefix to go on from', () => {
    const start = () => `start = peft("${adapter}")`;
    const codes = (settings: string, using = '') =>
      found(`${start()}\n  ${settings}`, { base, using }).map(({ code, marked }) => [code, marked]);
    const others = (settings: string, using = '') =>
      codes(settings, using).filter(([code]) => code !== 'FTP0761');

    it('takes everything from it, packed too', () => {
      cpSync(join(root, 'test/fixtures/peft/prefix'), adapter, { recursive: true });
      expect(others('batch = { packing: true }')).to.deep.equal([]);
      expect(others('prefix = { tokens: 4 }')).to.deep.equal([]);
    });

    it('refuses what contradicts it', () => {
      expect(others('prefix = { tokens: 4 }')).to.deep.equal([['FTP0767', start().slice('start = '.length)]]);
      cpSync(join(root, 'test/fixtures/peft/prefix'), adapter, { recursive: true });
      expect(others('prefix = { tokens: 5 }')).to.deep.equal([['FTP0759', '5']]);
      expect(others('prefix = { tokens: 4, projection: 8 }')).to.deep.equal([['FTP0760', '8']]);
      expect(others('prefix = { tokens: 4, init: zero }')).to.deep.equal([['FTP0760', 'zero']]);
      expect(others('lora = { dropout: 10% }')).to.deep.equal([['FTP0767', '10%']]);
      expect(others('', 'using full ')).to.deep.equal([['FTP0767', start().slice('start = '.length)]]);
      expect(found(start())[0]?.code).to.equal('FTP0838');
    });

    it('refuses to merge what comes of it', () => {
      cpSync(join(root, 'test/fixtures/peft/prefix'), adapter, { recursive: true });
      const merge = `\nmerge fused {\n  base = ${base}\n  adapter = adapter.best\n}\n`;
      const host = overlayHost(corpus, { 'pipeline.ftp': pipeline(start(), { base }) + merge });
      const problems = checkTraining(compile(host, 'pipeline.ftp'), host).map(({ code }) => code);
      expect(problems).to.include('FTP0769');
    });
  });

  it('says nothing of a base that is not here', () => {
    const text = pipeline('lora = { targets: ["nothing"] }', { base: 'hf("org/absent")' });
    const host = overlayHost(corpus, { 'pipeline.ftp': text });
    expect(checkTraining(compile(host, 'pipeline.ftp'), host)).to.deep.equal([]);
  });
});
