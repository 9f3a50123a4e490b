/** What an engine cannot honour is refused where it is written, before anything runs. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { BottleneckConfig } from '../../../src/compute/models/adapters/config.js';
import { initAdapter } from '../../../src/compute/models/adapters/kinds.js';
import { openModel } from '../../../src/compute/models/load.js';
import { openSafetensors } from '../../../src/compute/models/safetensors/read.js';
import { safetensorsChunks } from '../../../src/compute/models/safetensors/write.js';
import { writeAdapter } from '../../../src/compute/packaging/adapters.js';
import { type PlanRequest, prepare } from '../../../src/pipeline/prepare/index.js';
import { plainOutput } from '../../compute/evaluation/tiny.js';
import { concat } from '../../compute/models/errors.js';
import { type Folder, pipelineFolder, STARTER, TEXT } from '../planner/pipeline.js';
import { withPython } from './fake-python.js';

/** A safetensors file of these shapes. */
function zeros(tensors: Readonly<Record<string, readonly number[]>>): Uint8Array {
  let end = 0;
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, shape]) => {
      const start = end;
      end += 4 * shape.reduce((product, size) => product * size, 1);
      return [name, { dtype: 'F32', shape, data_offsets: [start, end] }];
    }),
  );
  const text = Buffer.from(JSON.stringify(header));
  const lead = Buffer.alloc(8);
  lead.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([lead, text, Buffer.alloc(end)]);
}

describe('what an engine cannot take', () => {
  let folder: Folder;
  beforeEach(() => {
    folder = pipelineFolder();
  });
  afterEach(() => folder.remove());

  const ROOMY = TEXT.replace('<= 2GiB', '<= 200GiB');
  const found = async (
    text: string,
    options: Partial<PlanRequest> = {},
    fake: Parameters<typeof withPython>[2] = {},
  ): Promise<readonly string[]> => {
    folder.write('pipeline.ftp', text);
    const host = withPython(folder.host, folder.path, fake);
    const request = { file: 'pipeline.ftp', params: {}, memoryBytes: 64 * 2 ** 30, ...options };
    const { diagnostics, compiled } = await prepare(host, request, { speed: 'unknown' });
    return diagnostics
      .filter(({ code }) => code.startsWith('FTP18'))
      .map(({ code, at, message }) => {
        const source = at !== undefined && 'start' in at ? at : undefined;
        const written = source && compiled.sources.get(source.file)?.text.slice(source.start, source.end);
        return `${code} ${written?.split('\n')[0]}: ${message}`;
      });
  };
  const ON = { engine: 'accelerate' } as const;

  it('takes what both do', async () => {
    expect(await found(ROOMY, ON)).to.deep.equal([]);
    expect(await found(ROOMY, { engine: 'embedded' })).to.deep.equal([]);
  });

  it('takes preferences, and tells what else of such a training it cannot take', async () => {
    const rows = [0, 1, 2, 3, 4, 5].map((row) => ({ prompt: `${row}?`, chosen: 'yes', rejected: `${row}` }));
    folder.write('data/rows.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const compared = ROOMY.replaceAll('chat', 'preference')
      .replace(/lora = .*/, 'adapter = { kind: houlsby }\n  objective = kto()')
      .replace(/\neval [\s\S]*\n}\n(?=budget)/, '\n');
    const [first, ...others] = await found(compared, ON);
    expect(first).to.contain('FTP1807 { kind: houlsby }');
    expect(others).to.deep.equal([]);
  });

  it('tells where an evaluation names an adapter of AdapterHub', async () => {
    const { config: model } = openModel(folder.host, STARTER);
    const bottleneck: BottleneckConfig = {
      ...{ kind: 'bottleneck', reduction: 4, places: ['mlp'], activation: 'relu' },
      ...{ reads: 'output', scale: 1, dropout: 0 },
    };
    writeAdapter(plainOutput(join(folder.path, 'own')), '.', initAdapter(model, bottleneck, { seed: 1 }), {
      base: { name: 'base', revision: null },
    });
    const over = `model = untrained("${STARTER}", seed: 1)\n  adapter = adapterhub("own")`;
    const text = ROOMY.replace('model = adapter.best', over);
    expect(await found(text, { engine: 'embedded' })).to.deep.equal([]);
    expect(await found(text, ON)).to.deep.equal([
      'FTP1807 adapterhub("own"): the accelerate engine cannot take an adapter of AdapterHub (`adapter`): PEFT has no bottleneck adapters',
    ]);
  });

  const cases: readonly (readonly [what: string, from: string | RegExp, to: string, said: string])[] = [
    [
      'bottleneck adapters',
      /lora = .*/,
      'adapter = { kind: houlsby }',
      'FTP1807 { kind: houlsby }: the accelerate engine cannot take bottleneck adapters (`adapter`): PEFT has none',
    ],
    [
      'a paged optimiser on the CPU',
      'adamw(rate: 2e-3)',
      'adamw8bit(rate: 2e-3, paged: true)',
      'FTP1807 true: the accelerate engine cannot take a paged optimiser (`paged: true`): bitsandbytes pages between a GPU and the memory of the machine, and there is no GPU',
    ],
    [
      'pages of weights',
      '[checkpointing,',
      '[paged_weights, checkpointing,',
      'FTP1807 paged_weights: the accelerate engine cannot take `paged_weights`: PyTorch has the whole base in memory',
    ],
  ];
  for (const [what, from, to, said] of cases)
    it(`refuses ${what} on the accelerate engine`, async () => {
      const text = ROOMY.replace(from, to)
        .replace(/merge fused[\s\S]*?\n}\n/, '')
        .replace('= fused', '= adapter.best');
      expect(await found(text, ON)).to.deep.equal([said]);
    });

  it('wants bitsandbytes where it computes', async () => {
    const without = { packages: { bitsandbytes: undefined } };
    const [eight] = await found(ROOMY.replace('adamw(', 'adamw8bit('), ON, without);
    expect(eight).to.contain('its Python has no `bitsandbytes`');
    expect(await found(ROOMY.replace('adamw(', 'adamw8bit('), ON)).to.deep.equal([]);
    const [four] = await found(
      ROOMY.replace('train adapter', 'train adapter using qlora').replace(/fallback.*/, ''),
      ON,
      without,
    );
    expect(four).to.contain('using qlora');
  });

  it('refuses shards in the memory of the machine where somebody asks for the embedded engine', async () => {
    const text = ROOMY.replace('[checkpointing,', '[cpu_offload, checkpointing,');
    const [said] = await found(text, { engine: 'embedded' });
    expect(said).to.contain('FTP1807 cpu_offload: the embedded engine cannot take `cpu_offload`');
    expect(await found(text)).to.deep.equal([]);
  });

  /** A base of shapes alone, by its name in the record of models without a graph. */
  function writeForeign(name: string, changed: object = {}): void {
    const recorded = JSON.parse(
      folder.host.readText(`${folder.host.packageFolder}/test/compute/models/foreign.json`),
    ) as Readonly<
      Record<string, { readonly config: object; readonly tensors: Readonly<Record<string, number[]>> }>
    >;
    const { config = {}, tensors = {} } = recorded[name] ?? {};
    folder.write('model/config.json', JSON.stringify({ ...config, ...changed }));
    folder.write('model/tokenizer.json', '{}');
    writeFileSync(join(folder.path, 'model', 'model.safetensors'), zeros(tensors));
  }
  const FOREIGN = ROOMY.replaceAll(/untrained\("[^"]*", seed: 1\)/g, 'local("model")');

  it('refuses to pack what transformers would mix', async () => {
    writeForeign('mixtral', { model_type: 'gpt_oss' });
    const [said] = await found(FOREIGN.replace(/batch = \{ /, 'batch = { packing: true, '), ON);
    expect(said).to.contain('the accelerate engine cannot take `packing` for this base');
    expect(await found(FOREIGN, ON)).to.deep.equal([]);
  });

  it('trains an adapter over a base that is stored in four bits, and not the base', async () => {
    const stored = join(folder.host.packageFolder, 'test', 'fixtures', 'nf4', 'double');
    folder.write('model/tokenizer.json', '{}');
    cpSync(stored, join(folder.path, 'model'), { recursive: true });
    expect(await found(FOREIGN, ON)).to.deep.equal([]);
    const full = FOREIGN.replace('train adapter', 'train adapter using full')
      .replace(/ {2}(?:lora|fallback) = .*\n/g, '')
      .replace(/merge fused[\s\S]*?\n}\n/, '')
      .replace('= fused', '= adapter.best');
    expect(await found(full, ON)).to.deep.equal([
      'FTP1807 local("model"): the accelerate engine cannot take `using full` over a base in 4 bits: codes of 4 bits have no gradients',
    ]);
    expect(await found(full, { engine: 'embedded' })).to.deep.equal([]);
    const [without] = await found(FOREIGN, ON, { packages: { bitsandbytes: undefined } });
    expect(without).to.contain('cannot take a base in 4 bits: its Python has no `bitsandbytes`');
  });

  it('takes no experts that each are in four bits, whoever reads them', async () => {
    const { host } = folder;
    const stored = join(host.packageFolder, 'test', 'fixtures', 'nf4', 'double');
    const file = openSafetensors(host, join(stored, 'model.safetensors'));
    const written = (nameOf: (name: string) => string): void => {
      const tensors = [...file.tensors].map(([name, entry]) => ({
        ...{ name: nameOf(name), dtype: entry.dtype, shape: entry.shape },
        *chunks() {
          yield file.read(entry);
        },
      }));
      writeFileSync(join(folder.path, 'model', 'model.safetensors'), concat(safetensorsChunks(tensors)));
    };
    const config = JSON.parse(readFileSync(join(stored, 'config.json'), 'utf8')) as object;
    const mixture = { model_type: 'qwen3_moe', num_experts: 1, architectures: ['Qwen3MoeForCausalLM'] };
    folder.write('model/tokenizer.json', '{}');
    folder.write('model/config.json', JSON.stringify({ ...config, ...mixture }));
    written((name) => name);
    expect(await found(FOREIGN, ON)).to.deep.equal([]);
    written((name) => name.replace('.mlp.', '.mlp.experts.0.'));
    const refused = await found(FOREIGN, ON);
    // training, evaluation and merge
    expect(refused.length).to.be.greaterThan(1);
    for (const said of refused)
      expect(said).to.contain(
        'local("model"): the accelerate engine cannot take a base whose experts are in 4 bits',
      );
  });

  it('names the base that only the accelerate engine takes', async () => {
    writeForeign('mixtral');
    const said = await found(FOREIGN);
    expect(said[0]).to.equal(
      'FTP1807 local("model"): the embedded engine cannot take the base `model`: it has no graph for the architecture `mixtral`',
    );
  });
});
