/** Plans of models that are not here. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Host } from '../../../src/language/host/host.js';
import type { Call, Program } from '../../../src/language/ir/program.js';
import { withLocalShapes } from '../../../src/pipeline/hub/local-shapes.js';
import { pinProgram } from '../../../src/pipeline/hub/pin.js';
import { openResolved } from '../../../src/pipeline/stages/open-models.js';
import { resolveModelCall } from '../../../src/pipeline/stages/resolve-models.js';
import { coverageOf } from '../../../src/pipeline/stages/train/coverage.js';
import { freshFolder } from '../store/folders.js';
import { hubHost, tinyModel } from './folders.js';
import { planOf } from './programs.js';
import { fakeHub } from './server.js';

const LLAMA = 'meta-llama/Llama-3.1-8B-Instruct';

describe('models that are planned by their shape', () => {
  let cwd = '';
  beforeEach(() => {
    cwd = freshFolder();
  });
  const program = (repository: string): Program => planOf(cwd, { repository, revision: 'main' });
  const offline = (): Host => hubHost(cwd, { HF_HUB_OFFLINE: '1', HF_HOME: join(cwd, 'hf') });
  const openBase = (shaped: Program | undefined, host: Host) => {
    const model = resolveModelCall(shaped?.stages[0]?.settings['base'] as Call, { folder: cwd, host });
    if (model === undefined) throw new Error('no model');
    return openResolved(host, model);
  };

  it('are opened as their files would be, in the type in which they are published', async () => {
    const {
      program: shaped,
      host,
      fetch,
      digests,
      diagnostics,
    } = await pinProgram(program(LLAMA), offline(), {
      shapes: true,
    });
    expect(diagnostics.map(({ code, severity }) => `${severity} ${code}`)).to.deep.equal(['info FTP1940']);
    expect(shaped?.shapes).to.have.length(1);
    expect(shaped?.shapes?.[0]).to.deep.include({ model: LLAMA, hasTokenizer: false, isQuantised: false });
    // 8,030,261,248 numbers of two bytes, and a header
    expect(shaped?.shapes?.[0]?.bytes).to.be.within(16_060_522_496, 16_060_600_000);
    expect(fetch).to.deep.equal([]);
    const model = openBase(shaped, host);
    model.checkWeights();
    expect(model.weightFormat('model.layers.31.mlp.down_proj.weight')).to.equal('BF16');
    expect(model.files().map(({ name }) => name)).to.deep.equal(['config.json', 'model.safetensors']);
    expect(Object.keys(digests)).to.have.length(2);
  });

  it('have files of another size where these are in a format of their own', async () => {
    const { program: shaped, diagnostics } = await pinProgram(program('openai/gpt-oss-20b'), offline(), {
      shapes: true,
    });
    const [shape] = shaped?.shapes ?? [];
    // 19.1 G numbers of experts in 4.25 bits, and 1.8 G in 16: the Hub lists 13.76 GB
    expect(shape?.stored?.bytes).to.be.within(13.75e9, 13.77e9);
    expect(shape?.bytes).to.be.within(41.82e9, 41.84e9);
    expect(diagnostics[0]?.notes?.join(' ')).to.match(
      /13\.76 GB.*MXFP4.*41\.83 GB.*AutoModelForCausalLM.*Mxfp4Config/,
    );
    const ministral = await pinProgram(program('mistralai/Ministral-3-8B-Instruct-2512'), offline(), {
      shapes: true,
    });
    expect(ministral.diagnostics[0]?.notes?.join(' ')).to.match(
      /AutoModelForImageTextToText.*FineGrainedFP8Config/,
    );
    const copy = await pinProgram(program('unsloth/gpt-oss-20b-BF16'), offline(), { shapes: true });
    expect(copy.program?.shapes?.[0]?.stored).to.equal(undefined);
  });

  it('have parts that see, which stay as they are where every weight is trained', async () => {
    const { program: shaped, host } = await pinProgram(program('google/gemma-3-4b-pt'), offline(), {
      shapes: true,
    });
    const { trainable, all } = coverageOf(openBase(shaped, host).config, undefined);
    // SigLIP's 416,866,032 numbers, and a projector of 1152 by 2560 with its norm (arXiv 2503.19786, table 1: 417 M)
    expect(all - trainable).to.equal(416_866_032 + 1152 * 2560 + 1152);
  });

  it('have rows whose tokens are estimated from bytes', async () => {
    const { program: shaped, host } = await pinProgram(program(LLAMA), offline(), { shapes: true });
    const model = openBase(shaped, host);
    const tokenizer = await model.tokenizer();
    expect(tokenizer.encode('x'.repeat(420))).to.have.length(100);
    expect(tokenizer.encode(`<|im_start|>${'ü'.repeat(21)}<|im_end|>`)).to.have.length(12);
    expect(model.template()?.render([{ role: 'user', content: 'Hi' }])).to.include('<|im_start|>user');
  });

  it('cannot be run', async () => {
    const { program: none, diagnostics } = await pinProgram(program(LLAMA), offline());
    expect(none).to.equal(undefined);
    expect(diagnostics.map(({ code }) => code)).to.deep.equal(['FTP1404']);
  });

  it('have to be known', async () => {
    const { program: none, diagnostics } = await pinProgram(program('some/model'), offline(), {
      shapes: true,
    });
    expect(none).to.equal(undefined);
    expect(diagnostics.map(({ code }) => code)).to.deep.equal(['FTP1404']);
    expect(diagnostics[0]?.help).to.contain('a plan alone needs its `config.json`');
  });

  it('may be gated; a name that the Hub does not have stays an error', async () => {
    const hub = await fakeHub(tinyModel());
    try {
      const host = hubHost(cwd, { HF_ENDPOINT: hub.endpoint, HF_HOME: join(cwd, 'hf') });
      const statuses = { 401: 'FTP1940', 403: 'FTP1940', 503: 'FTP1940', 404: 'FTP1408' };
      for (const [status, code] of Object.entries(statuses)) {
        hub.trouble = (_, response) => {
          response.writeHead(Number(status)).end();
          return true;
        };
        const { diagnostics } = await pinProgram(program(LLAMA), host, { shapes: true, pauses: [] });
        expect(
          diagnostics.map((one) => one.code),
          status,
        ).to.deep.equal([code]);
      }
    } finally {
      await hub.close();
    }
  });

  it('are taken from the config in the cache before the list', async () => {
    const host = offline();
    const folder = join(cwd, 'hf/hub/models--meta-llama--Llama-3.1-8B-Instruct');
    const commit = 'a'.repeat(40);
    mkdirSync(join(folder, 'snapshots', commit), { recursive: true });
    mkdirSync(join(folder, 'refs'), { recursive: true });
    writeFileSync(join(folder, 'refs/main'), commit);
    writeFileSync(join(folder, 'snapshots', commit, 'config.json'), starterConfig(host));
    const { program: shaped, host: seen } = await pinProgram(program(LLAMA), host, { shapes: true });
    expect(shaped?.shapes?.[0]?.source).to.equal('its `config.json`');
    expect(shaped?.repositories?.[0]?.commit).to.equal(commit);
    expect(openBase(shaped, seen).config.hiddenSize).to.equal(192);
  });

  it('may be folders without weights', () => {
    const host = offline();
    mkdirSync(join(cwd, 'mine'));
    writeFileSync(join(cwd, 'mine/config.json'), starterConfig(host));
    const base = { call: 'local', args: { folder: 'mine' } };
    const own = program(LLAMA);
    const stages = own.stages.map((stage) => ({ ...stage, settings: { base } }));
    const named = { file: 'p.ftp', start: 3, end: 9 };
    const at = (settings: readonly { readonly path: string }[]) =>
      settings.some(({ path }) => path === 'base') ? named : undefined;
    const { program: shaped, host: seen, diagnostics } = withLocalShapes({ ...own, stages }, host, at);
    expect(diagnostics.map(({ code, at: place }) => [code, place])).to.deep.equal([['FTP1940', named]]);
    openBase(shaped, seen).checkWeights();
  });

  it('of folders with values that make no sense are refused with what is wrong', () => {
    const host = offline();
    mkdirSync(join(cwd, 'mine'));
    const qwen = { model_type: 'qwen3_5', architectures: ['Qwen3_5ForConditionalGeneration'] };
    const text = { hidden_size: 64, num_hidden_layers: 4, num_attention_heads: 4, vocab_size: 96 };
    writeFileSync(join(cwd, 'mine/config.json'), JSON.stringify({ ...qwen, text_config: text }));
    const base = { call: 'local', args: { folder: 'mine' } };
    const own = program(LLAMA);
    const stages = own.stages.map((stage) => ({ ...stage, settings: { base } }));
    const { program: same, diagnostics } = withLocalShapes({ ...own, stages }, host);
    expect(same.shapes).to.equal(undefined);
    expect(diagnostics.map(({ code, severity }) => `${severity} ${code}`)).to.deep.equal(['error FTP0833']);
    expect(diagnostics[0]?.message).to.contain('"linear_num_value_heads" is missing');
  });

  it('of folders of an architecture whose tensors no list has are refused, with what a plan needs', () => {
    const host = offline();
    mkdirSync(join(cwd, 'mine'));
    const sizes = { hidden_size: 64, num_hidden_layers: 4, num_attention_heads: 4, vocab_size: 96 };
    const gemma = { model_type: 'gemma4_text', architectures: ['Gemma4ForCausalLM'], ...sizes };
    writeFileSync(join(cwd, 'mine/config.json'), JSON.stringify(gemma));
    const base = { call: 'local', args: { folder: 'mine' } };
    const own = program(LLAMA);
    const stages = own.stages.map((stage) => ({ ...stage, settings: { base } }));
    const { program: same, diagnostics } = withLocalShapes({ ...own, stages }, host);
    expect(same.shapes).to.equal(undefined);
    expect(diagnostics.map(({ code, severity }) => `${severity} ${code}`)).to.deep.equal(['error FTP0831']);
    expect(diagnostics[0]?.message).to.contain('"gemma4_text"');
    expect(diagnostics[0]?.help).to.contain('safetensors');
  });

  const starterConfig = ({ packageFolder }: Host): string =>
    readFileSync(join(packageFolder, 'stdlib/models/starter/config.json'), 'utf8');
});
