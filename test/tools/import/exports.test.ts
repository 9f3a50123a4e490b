/** Files of LLaMA-Factory for `export`, which merge and train nothing. */
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { overlayHost } from '../../helpers/overlay-host.js';
import { EXAMPLES, importText } from './imported.js';

const settings = (text = ''): readonly string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^(?:merge|base|adapter|dtype|train|data) /.test(line));

describe('an imported export', () => {
  it('is a merge in the type that it asks for', async () => {
    const { text } = await importText(
      'export.yaml',
      'model_name_or_path: acme/base\nadapter_name_or_path: adapters/rules\nexport_dir: out\ninfer_dtype: float16\n',
    );
    expect(settings(text)).to.deep.equal([
      'merge merged {',
      'base = hf("acme/base")',
      'adapter = peft("adapters/rules")',
      'dtype = f16',
    ]);
  });

  it('keeps the type of a base that is here, or half of float32, as there', async () => {
    for (const [stored, dtype] of [
      ['"torch_dtype": "float16"', 'f16'],
      ['"dtype": "bfloat16"', 'bf16'],
      ['"torch_dtype": "float32"', 'bf16'],
    ]) {
      const host = overlayHost(EXAMPLES, { 'saves/base/full/config.json': `{ ${stored} }` });
      const { text } = await importText(
        'export.yaml',
        'model_name_or_path: saves/base/full\ntemplate: qwen\nexport_dir: out\n',
        { host },
      );
      expect(settings(text), stored).to.deep.equal([
        'merge merged {',
        'base = local("saves/base/full")',
        `dtype = ${dtype}`,
      ]);
      expect(text).not.to.contain('There,');
    }
  });

  it('is read in the form of version 1, too', async () => {
    const { text, keys } = await importText(
      'export.yaml',
      'model: acme/base\npeft_config: {name: lora, adapter_name_or_path: adapters/rules, export_dir: out, infer_dtype: auto}\n',
      { host: nodeHost(EXAMPLES) },
    );
    expect(settings(text)).to.deep.equal([
      'merge merged {',
      'base = hf("acme/base")',
      'adapter = peft("adapters/rules")',
      'dtype = bf16',
    ]);
    expect(keys.find(({ key }) => key === 'peft_config.export_dir')?.status).to.equal('translated');
  });

  it('is a training where there are rows, with what merges it in a comment', async () => {
    const { text, keys } = await importText(
      'lora.yaml',
      'model_name_or_path: acme/base\ndataset: house_rules\ndataset_dir: rows\nadapter_name_or_path: one,two\nexport_dir: out\ninfer_dtype: float16\n',
    );
    expect(text)
      .to.contain('start = peft("two")')
      .and.not.match(/^merge /m);
    const of = (name: string) => keys.find(({ key }) => key === name);
    expect(of('export_dir')?.status).to.equal('left');
    expect(of('infer_dtype')?.status).to.equal('automatic');
    expect(of('adapter_name_or_path')?.why).to.contain('continues from one adapter');
  });

  it('asks for its base', async () => {
    const { diagnostics } = await importText('export.yaml', 'export_dir: out\nexport_device: cpu\n');
    expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).to.deep.equal([
      'FTP1607 the file does not say which model is merged',
    ]);
  });
});
