import { expect } from 'chai';
import { prettyDiagnostic } from '../../../src/language/diagnostics/render/index.js';
import { isUnset } from '../../../src/tools/import/foreign.js';
import { tools } from '../../../src/tools/import/tools.js';
import { expectGolden } from '../../helpers/golden.js';
import { errorsOf, importText } from './imported.js';

const laughs = [
  'a: &a [x, x, x, x, x, x, x, x, x, x]',
  ...'bcdefghij'.split('').map((name, at) => {
    const before = `*${'abcdefghi'.charAt(at)}`;
    return `${name}: &${name} [${Array(10).fill(before).join(', ')}]`;
  }),
].join('\n');

/** What a file may be that nobody meant to write. */
const FILES: Readonly<Record<string, string | Uint8Array>> = {
  'empty.yml': '',
  'only-comments.yml': '# nothing\n',
  'a-list.yml': '- base_model: acme/base\n',
  'a-word.yml': 'base_model\n',
  'no-text.yml': new Uint8Array([0xff, 0xfe, 0x00]),
  'large.yml': 'x'.repeat((1 << 20) + 1),
  'twice.yml': 'base_model: acme/base\nadapter: lora\nadapter: qlora\n',
  'tabs.yml': 'base_model: acme/base\ndatasets:\n\t- path: acme/rows\n',
  'unclosed.yml': 'base_model: [acme/base\nlearning_rate: 1\n',
  'unclosed.json': '{"model_name_or_path": "acme/base",',
  'no-anchor.yml': 'base_model: *missing\n',
  'code.yml': 'base_model: !!python/object/apply:os.system ["true"]\n',
  'two-documents.yml': 'base_model: acme/base\n---\nbase_model: acme/other\n',
  'laughs.yml': laughs,
  'deep.yml': `base_model: ${'['.repeat(5000)}${']'.repeat(5000)}\n`,
  'list-as-key.yml': '? [a, b]\n: acme/base\n',
  'merge-of-a-list.yml': '<<: [1, 2]\nbase_model: acme/base\n',
  'another-tool.yml': 'services: {web: {image: nginx}}\nnetworks: {}\n',
  'names.yml':
    'base_model: <your model>\nlearning_rate: 1e-4\ndatasets:\n  - {path: "s3://bucket/rows", type: alpaca}\n',
  'types.yml':
    'base_model: acme/base\nlearning_rate: [1]\nmicro_batch_size: two\nsample_packing: maybe\nnum_epochs: -1\ndatasets: 7\n',
  'control.yml':
    'base_model: "acme/\\e[31mbase"\nlearning_rate: 1e-4\nadapter: lora\nlora_r: 8\nlora_alpha: 8\n"\\u202edrow": "\\u2028 }"\ndatasets:\n  - {path: acme/rows, type: alpaca}\n',
};

/** Files that say what is needed and no more. */
const GOOD: Readonly<Record<string, string>> = {
  accelerate: 'compute_environment: LOCAL_MACHINE\nnum_processes: 2\n',
  Axolotl:
    'base_model: acme/base\nadapter: lora\nlora_r: 8\nlora_alpha: 16\nlearning_rate: 1e-4\ndatasets: [{path: acme/rows, type: alpaca}]\n',
  'LLaMA-Factory': 'model_name_or_path: acme/base\nlearning_rate: 1e-4\ndataset: acme/rows\n',
  'LLaMA-Factory 1':
    'model: acme/base\ncutoff_len: 512\ntrain_dataset: acme/rows\npeft_config: {name: lora}\n',
  TRL: 'model_name_or_path: acme/base\nlearning_rate: 1e-4\ndataset_name: acme/rows\nuse_peft: true\n',
};

describe('a hostile file', () => {
  it('gets diagnostics with their places, and never a stack trace', async () => {
    const shown: string[] = [];
    for (const [name, file] of Object.entries(FILES)) {
      const { text, diagnostics, sources } = await importText(name, file);
      expect(text, name).to.equal(undefined);
      shown.push(...diagnostics.map((found) => prettyDiagnostic(found, sources)));
    }
    expectGolden('test/tools/import/golden/hostile.txt', `${shown.join('\n\n')}\n`);
  });

  it('ends no comment and hides nothing in the pipeline', async () => {
    const { text = '' } = await importText(
      'file.yml',
      'base_model: acme/base\nlearning_rate: 1e-4\nadapter: lora\nlora_r: 8\nlora_alpha: 16\n"a\\n}\\ntrain b { ": "x\\ntrain c {"\n"\\u202edrow": "\\u2028"\nhub_token: hf_abc\nswanlab_lark_secret: hf_abc\nmodel_config: {api_key: hf_abc}\ndefault_system_message: "say \\"\\u202e\\"\\n"\ndatasets:\n  - {path: acme/rows, type: chat_template}\n',
    );
    expect(text.match(/^train/gm)).to.have.length(1);
    expect(text).not.to.match(/[\p{Cf}\p{Zl}]/u);
    expect(text).not.to.contain('hf_abc');
    expect(text).to.contain('system: "say \\"\\u{202E}\\"\\n"');
  });

  it('shows none of its control characters, wherever a remark or a reason has a text of it', async () => {
    const evil = '\\e[31m\\u202e\\u0085';
    const base = 'learning_rate: 1e-4\n';
    const files = [
      `${base}base_model: acme/base\nlr_scheduler_kwargs: {"${evil}": 1}\nchat_template: "${evil}"\ndatasets:\n  - {path: acme/rows, type: chat_template, message_property_mappings: {"${evil}": a}}\n  - {path: acme/rows, type: "alpaca:${evil}", split: "${evil}"}\n`,
      `${base}model_name_or_path: acme/base\ntemplate: "${evil}"\ndataset: ["${evil}", "b${evil}"]\n`,
      `${base}model: acme/base\ncutoff_len: 512\ntrain_dataset: "${evil}.yaml"\n`,
    ];
    for (const file of files) {
      const { text = '' } = await importText('file.yml', file);
      expect(text, file).to.contain('train ');
      expect(text.replaceAll('\n', '')).not.to.match(/[\p{Cc}\p{Cf}]/u);
    }
  });

  it('may have any value for any key', async () => {
    const values = [
      '1',
      '-1',
      '0.5',
      '1e999',
      '.nan',
      'true',
      'word',
      '[]',
      '[1, a]',
      '{a: 1}',
      '""',
      '2020-01-01',
      '"\\u202e"',
      '[[[1]]]',
    ];
    for (const { table, name } of tools)
      for (const value of values) {
        const lines = Object.keys(table).map((key) => `${JSON.stringify(key)}: ${value}`);
        const { keys } = await importText('file.yml', lines.join('\n'), { from: name });
        expect(keys.length, `${name}: ${value}`).to.be.at.least(1);
      }
  });

  it('gives a pipeline without errors, or none, whatever value one key has', async () => {
    // Folders that are not there are no fault of the pipeline.
    const others = (text: string) => errorsOf(text).filter((error) => !/^FTP0(316|317|752)/.test(error));
    for (const { table, name, title } of tools)
      for (const key of Object.keys(table).filter((key) => table[key]?.kind === 'becomes'))
        for (const value of ['0.95', '100000', 'word', '{a: 0.5}']) {
          const lines = (GOOD[title] ?? '').split('\n').filter((line) => !line.startsWith(`${key}:`));
          const file = `${lines.join('\n')}\n${key}: ${value}\n`;
          const { text, diagnostics } = await importText('file.yml', file, { from: name });
          const isWrong = diagnostics.some(({ severity }) => severity === 'error');
          expect(text === undefined, `${title} ${key}: ${value}`).to.equal(isWrong);
          if (text !== undefined) expect(others(text), `${title} ${key}: ${value}`).to.deep.equal([]);
        }
  });

  it('knows what has no value', () => {
    const span = { file: 'file.yml', start: 0, end: 0 };
    expect(isUnset({ kind: 'scalar', value: null, span })).to.equal(true);
    expect(isUnset({ kind: 'scalar', value: 0, span })).to.equal(false);
  });
});
