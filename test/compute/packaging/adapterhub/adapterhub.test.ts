import { expect } from 'chai';
import { safetensorsChunks } from '../../../../src/compute/models/safetensors/write.js';
import { adapterFiles, readAdapter } from '../../../../src/compute/packaging/adapters.js';
import { checkAdapter } from '../../../../src/compute/packaging/check-base.js';
import type { Json } from '../../../../src/language/host/json.js';
import { BOTTLENECK_FIXTURES, bottleneckFixture } from '../../models/decoder/bottleneck-fixture.js';
import { concat, modelError } from '../../models/errors.js';
import { memoryHost } from '../../models/memory-host.js';

/** The files of a fixture's adapter as ftpc writes them, with some fields of the config replaced. */
function folder(name: string, fields: Json = {}, config: Json = {}) {
  const { adapter, config: model } = bottleneckFixture(name);
  const files = adapterFiles(adapter, { base: { name: 'tiny', revision: null, shape: model } });
  const written = JSON.parse(files['adapter_config.json'] as string) as Json;
  return memoryHost({
    '/a/adapter_config.json': JSON.stringify({
      ...written,
      ...fields,
      config: { ...(written['config'] as Json), ...config },
    }),
    '/a/adapter.safetensors': concat(files['adapter.safetensors'] as Iterable<Uint8Array>),
  });
}

describe("bottleneck adapters in AdapterHub's folders", () => {
  for (const name of BOTTLENECK_FIXTURES)
    it(`${name}: writes the config that the library writes, and reads both`, () => {
      const { recording, adapter, config } = bottleneckFixture(name);
      const files = adapterFiles(adapter, { base: { name: null, revision: null, shape: config } });
      const text = files['adapter_config.json'] as string;
      const recorded = recording.adapter.config;
      // how it began does not matter any more; swish is silu
      const { init_weights: _, non_linearity: activation, ...fields } = recorded['config'] as Json;
      const { init_weights: __, ...own } = JSON.parse(text).config as Json;
      expect({ ...JSON.parse(text), config: own }).to.deep.equal({
        ...recorded,
        config: { ...fields, non_linearity: activation === 'swish' ? 'silu' : activation },
      });
      // the library takes a whole number for no scale at all
      expect(text).to.match(/"scaling": \d+\.\d/);
      const back = readAdapter(folder(name), '/a');
      expect(back.config).to.deep.equal(adapter.config);
      expect([...back.tensors].sort()).to.deep.equal([...adapter.tensors].sort());
      checkAdapter(back, config, '/a');
    });

  it('tells the library of the modules of a family that it does not know', () => {
    const told = (name: string) => {
      const { adapter, config } = bottleneckFixture(name);
      return adapterFiles(adapter, { base: { name: null, revision: null, shape: config } });
    };
    expect(told('qwen2')).to.not.have.property('adapter_interface.json');
    const files = told('phi3');
    expect(JSON.parse(files['adapter_interface.json'] as string)).to.deep.include({ model_type: 'phi3' });
    expect(files['README.md']).to.match(/interface=adapters.AdapterModelInterface/);
  });

  it('reads an adapter of another name', () => {
    const { adapter } = bottleneckFixture('mistral');
    const host = folder('mistral', { name: 'legal.v2' });
    const tensors = [...adapter.tensors].map(([name, { shape, data }]) => ({
      name: name.replace('.default.', '.legal.v2.'),
      dtype: 'F32' as const,
      shape,
      chunks: () => [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)],
    }));
    const files = {
      '/a/adapter_config.json': host.readText('/a/adapter_config.json'),
      '/a/adapter.safetensors': concat(safetensorsChunks(tensors)),
    };
    expect([...readAdapter(memoryHost(files), '/a').tensors.keys()].sort()).to.deep.equal(
      [...adapter.tensors.keys()].sort(),
    );
    const other = {
      ...files,
      '/a/adapter_config.json': host.readText('/a/adapter_config.json').replace('legal.v2', 'other'),
    };
    expect(modelError(() => readAdapter(memoryHost(other), '/a')).detail).to.match(
      /does not belong to the bottleneck adapter "other"/,
    );
  });

  for (const [field, value, found] of [
    ['ln_before', true, /"config.ln_before" is true; only false is supported/],
    ['use_gating', true, /"config.use_gating"/],
    ['phm_layer', true, /"config.phm_layer"/],
    ['inv_adapter', 'nice', /"config.inv_adapter" is "nice"; only null/],
    ['original_ln_after', false, /"config.original_ln_after" is false/],
    ['scaling', 'learned', /"config.scaling" is "learned"; .* learned/],
    ['reduction_factor', { default: 16 }, /"config.reduction_factor"/],
    ['reduction_factor', 0, /must be a positive number/],
    ['non_linearity', 'mish', /"config.non_linearity" is "mish"; it must be one of relu/],
    ['architecture', 'lora', /only bottleneck adapters/],
    ['output_adapter', false, /no adapter after the attention or the MLP/],
    ['leave_out', [-1], /"config.leave_out"/],
    ['dropout', 1, /must be in \[0, 1\)/],
    ['mh_adapter', 'yes', /must be true or false/],
  ] as const)
    it(`refuses ${field} of ${JSON.stringify(value)}`, () => {
      const error = modelError(() => readAdapter(folder('mistral', {}, { [field]: value }), '/a'));
      expect(error.code).to.equal('adapter_invalid');
      expect(error.detail).to.match(found);
    });

  it('refuses pickled weights, and an adapter without a name', () => {
    const host = folder('mistral');
    const files = {
      '/a/adapter_config.json': host.readText('/a/adapter_config.json'),
      '/a/pytorch_adapter.bin': 'x',
    };
    expect(modelError(() => readAdapter(memoryHost(files), '/a'))).to.include({
      code: 'adapter_invalid',
      path: '/a',
    });
    expect(modelError(() => readAdapter(folder('mistral', { name: '' }), '/a')).detail).to.match(/"name"/);
  });

  it('names both shapes where adapter and base differ', () => {
    const adapter = readAdapter(folder('llama-houlsby'), '/a');
    const error = modelError(() => checkAdapter(adapter, bottleneckFixture('neox').config, '/a'));
    expect(error.detail).to.match(/gpt_neox.layers.0.attention_adapters.*\[8, 32\].*lacks/);
    const sum = readAdapter(folder('llama-pfeiffer'), '/a');
    expect(modelError(() => checkAdapter(sum, bottleneckFixture('gemma2').config, '/a')).detail).to.match(
      /a norm between/,
    );
    const narrow = readAdapter(folder('llama-houlsby', {}, { reduction_factor: 8 }), '/a');
    const shapes = modelError(() => checkAdapter(narrow, bottleneckFixture('llama-houlsby').config, '/a'));
    expect(shapes.detail).to.match(/has shape \[4, 16\]; the base needs \[2, 16\]/);
  });
});
