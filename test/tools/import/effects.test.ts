import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { type ToolName, tools } from '../../../src/tools/import/tools.js';
import { EXAMPLES, importText } from './imported.js';

/** A file of each tool with what it needs, and how its method, optimizer, schedule and start are said. */
interface Base {
  readonly file: string;
  readonly variants: readonly string[];
}

const PAIRED = 'datasets: [{path: acme/rows, type: chatml.intel}]';

const TRAINER = ['optim: sgd', 'lr_scheduler_type: constant', 'lr_scheduler_type: cosine'];

const BASES: Readonly<Record<string, Base>> = {
  Axolotl: {
    file: 'base_model: acme/base\nlearning_rate: 1e-4\ndatasets: [{path: acme/rows, type: chat_template}]',
    variants: [
      'adapter: lora\nlora_r: 8\nlora_alpha: 16',
      'adapter: lora\nlora_model_dir: out',
      'datasets: [{path: acme/rows, type: alpaca}]',
      'optimizer: sgd',
      'optimizer: lion_32bit',
      'lr_scheduler: constant',
      'lr_scheduler: polynomial',
      'adapter: lora\nlora_r: 8\nlora_alpha: 16\nlora_target_linear: true',
      'batch_size: 12\nval_set_size: 0.1\neval_steps: 9',
      'gradient_accumulation_steps: 3\ncurriculum_sampling: true',
      `adapter: lora\nlora_r: 8\nlora_alpha: 16\nrl: dpo\n${PAIRED}`,
      `rl: kto\n${PAIRED}`,
      `rl: simpo\n${PAIRED}`,
      `rl: orpo\nval_set_size: 0.1\n${PAIRED}`,
      `reward_model: true\n${PAIRED}`,
    ],
  },
  'LLaMA-Factory': {
    file: 'model_name_or_path: acme/base\nlearning_rate: 1e-4\ndataset: rows',
    variants: [
      'finetuning_type: full',
      'adapter_name_or_path: out',
      'stage: pt\npacking: false',
      'stage: dpo\nval_size: 0.1',
      'stage: dpo\npref_loss: simpo\nlora_dropout: 0.1',
      'stage: dpo\npref_loss: orpo',
      'stage: kto',
      'stage: rm',
      'dataset: rows,others',
      'dataset:\nexport_dir: out',
      'dataset: rows,others\nmix_strategy: interleave_under',
      'val_size: 0.1\neval_strategy: steps\neval_steps: 9',
      'val_size: 0.1\nwarmup_steps: 0.2\ndisable_shuffling: true',
      ...TRAINER,
    ],
  },
  'LLaMA-Factory 1': {
    file: 'model: acme/base\ncutoff_len: 512\nlearning_rate: 1e-4\ntrain_dataset: acme/rows',
    variants: [
      'global_batch_size: 32',
      'peft_config: {name: lora}',
      'pref_loss: sigmoid',
      'pref_loss: simpo',
      'pref_loss: orpo\npeft_config: {name: lora}',
      'peft_config: {name: lora, adapter_name_or_path: out}',
      'train_dataset:\npeft_config: {name: lora, adapter_name_or_path: out, export_dir: merged}',
    ],
  },
  TRL: {
    file: 'model_name_or_path: acme/base\nlearning_rate: 1e-4\ndataset_name: acme/rows',
    variants: [
      'use_peft: true',
      'dataset_text_field: story\npacking: true',
      'assistant_only_loss: true\nmax_length: 9\ntrain_sampling_strategy: sequential',
      'datasets: [{path: other/rows}]',
      'beta: 0.2\nuse_peft: true',
      'loss_type: hinge\nlearning_rate: 1e-6',
      'loss_type: simpo',
      'desirable_weight: 2',
      'center_rewards_coefficient: 0.01\nlearning_rate: 1e-6',
      ...TRAINER,
    ],
  },
  accelerate: { file: 'compute_environment: LOCAL_MACHINE', variants: [] },
};

/** Of every type. */
const VALUES = [
  '0.37',
  '77',
  'true',
  'false',
  'up_proj',
  'gaussian',
  'hinge',
  'orpo',
  'gemma',
  'other/name',
  'truncate',
  'steps',
  'constant_with_warmup',
  'group_by_length',
  'bfd_split',
  'rows.jinja',
  'interleave_over',
  '0.3,0.7',
  '{num_cycles: 3}',
  '{power: 3}',
  '{q_proj: 4}',
  '[{path: other/rows, type: chat_template}]',
];

/** `file` with `lines`, which replace its own. */
const withLines = (file: string, lines: string): string => {
  const keys = lines.split('\n').map((line) => line.split(':')[0]);
  return [...file.split('\n').filter((line) => !keys.includes(line.split(':')[0])), lines].join('\n');
};

const settingsOf = (text: string | undefined): string =>
  (text ?? '')
    .split('\n')
    .filter((line) => !line.startsWith('//'))
    .join('\n');

/**
 * Whether a key counts as translated with one of the values, and yet changes nothing; and values to try in another file:
 * `enough` with which it changes something, or else some that it takes.
 */
async function tried(
  from: ToolName,
  base: string,
  before: string,
  key: string,
  values: readonly string[],
  enough: number,
) {
  const taken: string[] = [];
  const changing: string[] = [];
  let isTranslated = false;
  for (const value of values) {
    const { text, keys, diagnostics } = await importText('file.yml', `${base}\n${key}: ${value}\n`, { from });
    if (diagnostics.some(({ code }) => code === 'FTP1604')) continue;
    taken.push(value);
    if (text === undefined || keys.find((one) => one.key === key)?.status !== 'translated') continue;
    isTranslated = true;
    if (settingsOf(text) !== before) changing.push(value);
    if (changing.length === enough) break;
  }
  // One value may be what the tool does without it.
  const isIdle = isTranslated && changing.length === 0;
  return { further: changing.length > 0 ? changing : taken.slice(0, 6), isIdle };
}

describe('a key that counts as translated', () => {
  // one tool is enough to see a table that says too much
  for (const { title, name, table } of tools)
    it(`changes the pipeline: ${title}${title === 'LLaMA-Factory' ? '' : ' @long'}`, async () => {
      const { file = '', variants = [] } = BASES[title] ?? {};
      const idle: string[] = [];
      const values = new Map<string, readonly string[]>();
      for (const variant of ['', ...variants]) {
        const base = variant === '' ? file : withLines(file, variant);
        const own = new Set(base.split('\n').map((line) => line.split(':')[0]));
        const before = settingsOf((await importText('file.yml', base, { from: name })).text);
        const keys = Object.keys(table).filter((key) => table[key]?.kind === 'becomes' && !own.has(key));
        for (const key of keys) {
          const { further, isIdle } = await tried(
            name,
            base,
            before,
            key,
            values.get(key) ?? VALUES,
            variant === '' ? 2 : 1,
          );
          if (variant === '') values.set(key, further);
          if (isIdle) idle.push(`${variant} | ${key}`);
        }
      }
      expect(idle).to.deep.equal([]);
    });

  it('is not one of those that the rest of the file leaves without an effect', async () => {
    const { keys } = await importText(
      'file.yml',
      'base_model: acme/base\nmodel_revision: "a b"\nlearning_rate: 1e-4\nload_in_4bit: true\nlora_r: 8\nlora_alpha: 16\noptimizer: sgd\nadam_beta1: 0.8\nadam_epsilon: 1e-6\nlr_scheduler: constant\nwarmup_steps: 9\ndefault_system_message: hello\nchat_template: gemma\ndatasets: [{path: acme/rows, type: alpaca}]\n',
    );
    expect(keys.filter(({ status }) => status === 'translated').map(({ key }) => key)).to.deep.equal([
      'base_model',
      'learning_rate',
      'optimizer',
      'lr_scheduler',
      'datasets.path',
      'datasets.type',
      'datasets',
    ]);
  });
});

describe('a large file', () => {
  it('is imported to its end, and asks the disk about each of its data sets a few times', async () => {
    const base = 'base_model: acme/base\nlearning_rate: 1e-4\ndatasets:\n';
    const rows = Array.from(
      { length: 1000 },
      (_, at) => `  - {path: acme/r${at}, type: alpaca, split: "train[:${at % 90}%]", no_such_${at}: 1}`,
    );
    const others = Array.from({ length: 2000 }, (_, at) => `lerning_rate_${at}: 1`);
    const disk = nodeHost(EXAMPLES);
    let asked = 0;
    const host = {
      ...disk,
      stat: (path: string) => {
        asked += 1;
        return disk.stat(path);
      },
    };
    const { keys, diagnostics } = await importText(
      'file.yml',
      `${base}${rows.join('\n')}\n${others.join('\n')}\n`,
      { host },
    );
    expect(asked).to.be.below(5000);
    expect(keys.filter(({ key, status }) => key === 'datasets.split' && status === 'left')).to.have.length(
      1000,
    );
    expect(diagnostics).to.have.length(101);
    expect(diagnostics.at(-1)?.message).to.contain('2900 more keys');
  });
});
