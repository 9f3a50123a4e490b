import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { initModel } from '../../../src/compute/models/initialise.js';
import { ModelError } from '../../../src/compute/models/types.js';
import { nf4Tensor } from '../../../src/compute/models/weights/nf4-tensor.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { Call } from '../../../src/language/ir/program.js';
import { modelFiles, openResolved } from '../../../src/pipeline/stages/open-models.js';
import { type ResolvedModel, resolveModelCall } from '../../../src/pipeline/stages/resolve-models.js';
import { quantiseValues } from '../../compute/models/plain-nf4.js';

const host = nodeHost();
const fixtures = join(host.packageFolder, 'test', 'fixtures');

function resolved(call: string, args: Call['args']): ResolvedModel {
  return resolveModelCall({ call, args }, { folder: fixtures, host }) ?? expect.fail(`no model ${call}`);
}
const folder = resolved('local', { folder: 'evaluation/tiny/base' });
const file = resolved('gguf', { file: 'gguf/tiny.gguf' });
const fresh = resolved('untrained', { folder: 'evaluation/tiny/base', seed: 5 });
const freshFile = resolved('untrained', { folder: 'gguf/tiny.gguf', seed: 5 });

describe('models of a pipeline', () => {
  it('are where their calls say', () => {
    expect(folder).to.deep.equal({
      folder: join(fixtures, 'evaluation/tiny/base'),
      label: 'evaluation/tiny/base',
    });
    expect(file).to.deep.equal({ folder: join(fixtures, 'gguf/tiny.gguf'), label: 'gguf/tiny.gguf' });
    expect(fresh).to.deep.equal({ ...folder, seed: 5 });
    expect(resolved('starter', {}).folder).to.equal(join(host.packageFolder, 'stdlib/models/starter'));
    expect(resolveModelCall({ call: 'adamw', args: {} }, { folder: '/', host })).to.equal(undefined);
  });

  for (const [name, model] of Object.entries({ folder, file, fresh, freshFile })) {
    it(`open in one way: ${name}`, async () => {
      const opened = openResolved(host, model);
      expect(opened.path).to.equal(model.folder);
      opened.checkWeights();
      const tokenizer = await opened.tokenizer();
      expect(tokenizer.decode(tokenizer.encode('hello world'))).to.equal('hello world');
      const store = opened.loadWeights('stored');
      expect(store.has('model.norm.weight')).to.equal(true);
      if (model.seed !== undefined) expect(opened.weightFormat('model.norm.weight')).to.equal('F32');
    });
  }

  it('with fresh weights have those of their seed, in any form', () => {
    const opened = openResolved(host, fresh);
    const made = initModel(opened.config, 5);
    const stored = opened.loadWeights('stored');
    for (const name of made.names()) expect(stored.get(name).view()).to.deep.equal(made.get(name).view());
    const nf4 = opened.loadWeights('nf4');
    const name = 'model.layers.0.mlp.up_proj.weight';
    const { shape } = made.get(name);
    const values = made.get(name).view() ?? new Float32Array();
    const expected = nf4Tensor(name, shape, quantiseValues(values));
    const [ours, theirs] = [nf4.get(name), expected].map((tensor) => {
      const out = new Float32Array(values.length);
      tensor.dequantise(out);
      return out;
    });
    expect(ours).to.deep.equal(theirs);
    expect(nf4.get('model.embed_tokens.weight').format).to.equal('F32');
  });

  it('that are not there are said to be missing', () => {
    for (const model of [
      resolved('gguf', { file: 'none.gguf' }),
      resolved('local', { folder: 'none' }),
      resolved('untrained', { folder: 'none', seed: 1 }),
    ])
      expect(() => openResolved(host, model))
        .to.throw(ModelError)
        .with.property('code', 'model_not_found');
  });

  it('name the files that decide what they do', () => {
    const names = (model: ResolvedModel, content?: 'all' | 'tokenizer') =>
      modelFiles(host, model, content).map(({ name }) => name);
    const tokenizer = ['config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json'];
    expect(names(folder)).to.deep.equal([
      ...tokenizer.slice(0, 2),
      'model.safetensors',
      ...tokenizer.slice(2),
    ]);
    expect(names(folder, 'tokenizer')).to.deep.equal(tokenizer);
    expect(names(fresh)).to.deep.equal(tokenizer);
    expect(modelFiles(host, folder)[0]?.path).to.equal(join(folder.folder, 'config.json'));
    for (const model of [file, freshFile])
      for (const content of ['all', 'tokenizer'] as const)
        expect(modelFiles(host, model, content).map(({ path }) => path)).to.deep.equal([file.folder]);
  });
});

describe('companions', () => {
  const place = mkdtempSync(join(tmpdir(), 'ftpc-companions-'));
  after(() => rmSync(place, { recursive: true, force: true }));

  it('of a folder are its own files, without config and weights', () => {
    const companions = openResolved(host, folder).companions();
    expect(companions.map(({ name }) => name)).to.deep.equal([
      'generation_config.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    for (const { name, read } of companions)
      expect(read()).to.deep.equal(host.readBytes(join(folder.folder, name)));
  });

  it('of a GGUF file are made in pieces where they are large, as they would be whole', () => {
    const made = openResolved(host, file)
      .companions()
      .find(({ name }) => name === 'tokenizer.json');
    const pieces = [...(made?.pieces?.() ?? [])];
    expect(pieces.length).to.be.above(1);
    const text = String(made?.read());
    expect(pieces.join('')).to.equal(text);
    expect(text).to.equal(`${JSON.stringify(JSON.parse(text), null, 2)}\n`);
  });

  it('of a GGUF file make a folder that cuts texts, renders chats and ends answers alike', async () => {
    const model = openResolved(host, file);
    for (const { name, read } of model.companions()) writeFileSync(join(place, name), read());
    writeFileSync(join(place, 'config.json'), JSON.stringify(model.configJson()));
    expect(readdirSync(place)).to.deep.equal([
      'chat_template.jinja',
      'config.json',
      'generation_config.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    const copy = openResolved(host, { folder: place });
    expect(copy.config).to.deep.equal(model.config);
    const [theirs, ours] = [await model.tokenizer(), await copy.tokenizer()];
    for (const text of ['hello world', '<|im_start|>ü 12\n<|im_end|>', '東京  two', ''])
      expect([...ours.encode(text)]).to.deep.equal([...theirs.encode(text)]);
    expect(ours.vocabSize).to.equal(theirs.vocabSize);
    expect([ours.beginId, theirs.beginId]).to.deep.equal([undefined, undefined]);
    const chat = [{ role: 'user', content: 'hello' }] as const;
    expect(copy.template()?.render(chat)).to.equal('<|im_start|>hello<|im_end|>');
    expect(model.template()?.render(chat)).to.equal('<|im_start|>hello<|im_end|>');
  });
});
