import { expect } from 'chai';
import { importText } from './imported.js';

const AXOLOTL =
  'base_model: acme/base\ndatasets:\n  - {path: acme/rows, type: alpaca}\nlearning_rate: 1e-4\n';
const FACTORY =
  'model_name_or_path: acme/base\nfinetuning_type: lora\nstage: sft\ndataset: acme/rows\nlearning_rate: 1e-4\n';
const TRL = 'model_name_or_path: acme/base\ndataset_name: acme/rows\nlearning_rate: 1e-4\nuse_peft: true\n';

/** What is added to a file, and what the pipeline then has. */
const CASES: readonly (readonly [what: string, file: string, wanted: readonly string[], devices?: number])[] =
  [
    [
      'micro batch times accumulation',
      `${AXOLOTL}micro_batch_size: 2\ngradient_accumulation_steps: 4`,
      ['global: 8'],
    ],
    ['times devices', `${AXOLOTL}micro_batch_size: 2\ngradient_accumulation_steps: 4`, ['global: 64'], 8],
    ['a default that is 1', AXOLOTL, ['global: 1', 'epochs: 1', 'max_length = 512tok', 'cosine(warmup: 3%)']],
    ['steps for a warm-up in steps', `${AXOLOTL}warmup_steps: 10\nwarmup_ratio: 0.5`, ['warmup: 10steps']],
    ['a share for a warm-up below 1', `${AXOLOTL}warmup_steps: 0.1`, ['warmup: 10%']],
    ['two steps where Axolotl makes two of one', `${AXOLOTL}warmup_steps: 1`, ['warmup: 2steps']],
    [
      'decimals without noise',
      `${AXOLOTL}warmup_ratio: 0.07\nval_set_size: 0.07`,
      ['warmup: 7%', 'train: 93%, valid: 7%'],
    ],
    ['a number in quotes', `${AXOLOTL.replace('1e-4', '"2e-5"')}`, ['rate: 2e-5']],
    [
      'the maximum of steps instead of epochs',
      `${AXOLOTL}max_steps: 70\nnum_epochs: 4`,
      ['stop = { steps: 70 }'],
    ],
    ['no maximum of steps', `${AXOLOTL}max_steps: -1\nnum_epochs: 4`, ['stop = { epochs: 4 }']],
    [
      'rows of a slice',
      `${AXOLOTL.replace('type: alpaca', 'type: alpaca, split: "train[:500]"')}`,
      ['limit = 500'],
    ],
    [
      'embedding and head among the targets',
      `${FACTORY}lora_target: q_proj,embed_tokens,lm_head`,
      ['targets: [q_proj, embed_tokens, lm_head]'],
    ],
    [
      'one with factors, the other in full',
      `${AXOLOTL}adapter: lora\nlora_r: 4\nlora_alpha: 8\nlora_target_modules: [wte, c_attn]\nlora_modules_to_save: [lm_head]`,
      ['targets: ["wte", c_attn]', 'modules_to_save: [lm_head]'],
    ],
    ['no clipping', `${AXOLOTL}max_grad_norm: 0`, ['clip: none']],
    [
      'a constant rate, without warm-up',
      `${AXOLOTL}lr_scheduler: constant\nwarmup_ratio: 0.1`,
      ['adamw(rate: 1e-4)'],
    ],
    [
      "Trainer's default for Lion",
      `${AXOLOTL}optimizer: lion_32bit`,
      ['lion(rate: 1e-4, beta2: 0.999, schedule'],
    ],
    [
      'a regular expression as names',
      `${AXOLOTL}adapter: lora\nlora_r: 4\nlora_alpha: 8\nlora_target_modules: 'model.layers.[\\d]+.(mlp|self_attn).(up|q)_proj'`,
      ['targets: [up_proj, q_proj]'],
    ],
    [
      'experts among the targets',
      `${AXOLOTL}adapter: lora\nlora_r: 4\nlora_alpha: 8\nlora_target_linear: true\nlora_target_parameters: [mlp.experts.gate_up_proj, experts.down_proj]`,
      ['targets: [all_linear, "mlp.experts.gate_up_proj", "experts.down_proj"]'],
    ],
    [
      'experts alone',
      `${TRL}lora_target_parameters: [mlp.experts.down_proj]`,
      ['targets: ["mlp.experts.down_proj"]'],
    ],
    ['alpha of twice the rank', `${FACTORY}lora_rank: 24`, ['rank: 24, alpha: 48, targets: all_linear']],
    [
      'ranks of LLaMA-Factory',
      FACTORY,
      ['rank: 8, alpha: 16', 'epochs: 3', 'global: 8', 'linear(warmup: 0%)', 'max_length = 2048tok'],
    ],
    [
      'ranks of ModelConfig',
      TRL,
      ['rank: 16, alpha: 32, dropout: 5%, targets: query_value', 'max_length = 1024tok', 'loss_on = all'],
    ],
    [
      'ranks of LoraConfig',
      `${TRL.replace('use_peft: true\n', '')}peft_config: {target_modules: all-linear}`,
      ['rank: 8, alpha: 8, targets: all_linear'],
    ],
    [
      'trained biases',
      `${TRL}peft_config: {bias: lora_only, target_modules: [q_proj]}`,
      ['targets: [q_proj], bias: lora_only'],
    ],
    ['a seed that is not that of ftpc', AXOLOTL, ['seed = 42']],
    ['the warm-up of a known number of steps', `${AXOLOTL}max_steps: 1000`, ['cosine(warmup: 30steps)']],
    ['at most 100 steps of warm-up', `${AXOLOTL}max_steps: 9000`, ['cosine(warmup: 100steps)']],
    ['no warm-up of few steps', `${AXOLOTL}max_steps: 20`, ['cosine(warmup: 0%)']],
    [
      'layers without an adapter',
      `${AXOLOTL}adapter: lora\nlora_r: 8\nlora_alpha: 16\nlora_exclude_modules: [k_proj, mlp.up_proj]`,
      ['exclude: [k_proj, "mlp.up_proj"]'],
    ],
    [
      'validations more often than checkpoints, and best by a metric',
      `${AXOLOTL}val_set_size: 0.1\nsave_steps: 700\neval_steps: 70\nmetric_for_best_model: eval_rougeL`,
      [
        'checkpoint = { every: 700steps }',
        'validation = { every: 70steps, metrics: [rouge_l], best: rouge_l }',
        'import { rouge_l } from "std/eval"',
      ],
    ],
    [
      'checkpoints alone where nothing is validated',
      `${AXOLOTL}save_steps: 700\neval_steps: 70\nearly_stopping_patience: 3`,
      ['every: 700steps', 'stop = { epochs: 1 }', 'no rows are set aside'],
    ],
    [
      'no validations by steps that nobody asked for',
      `${FACTORY}val_size: 0.1\neval_steps: 70\nsave_steps: 700`,
      ['every: 700steps', 'validations do not come every so many steps'],
    ],
    ['rows of a step that are said as such', `${AXOLOTL}batch_size: 12\nmicro_batch_size: 4`, ['global: 12']],
    ['packing that is asked for twice', `${FACTORY}neat_packing: true\npacking: false`, ['packing: true']],
    [
      'every layer, whichever key comes first',
      `${AXOLOTL}adapter: lora\nlora_r: 4\nlora_alpha: 8\nlora_target_linear: true\nlora_target_modules: [q_proj]`,
      ['targets: all_linear', '`lora_target_linear` decides'],
    ],
    [
      'no argument that a schedule does not have',
      `${AXOLOTL}lr_scheduler_kwargs: {num_cycles: 2, strange: 1}`,
      ['cosine(warmup: 3%)', 'no num_cycles and no strange'],
    ],
    [
      'an adapter whose layers are not named',
      `${AXOLOTL}adapter: lora\nlora_r: 4\nlora_alpha: 8\nlora_target_parameters: [experts.up]`,
      ['names no linear layers', 'targets: all_linear'],
    ],
    [
      'nothing of a data set that is left out',
      `${AXOLOTL}excess_length_strategy: truncate\npretraining_dataset: [{path: acme/texts, chat_template: gemma}]`,
      ['overflow = truncate', 'template = alpaca(preamble: true)'],
    ],
    ['a length below the least', `${AXOLOTL}sequence_len: 4`, ['There, 4 tokens', 'max_length = 8tok']],
    [
      'rows of all devices',
      'model: acme/base\ntrain_dataset: acme/rows\npeft_config: {name: lora}\nglobal_batch_size: 32\ncutoff_len: 512\n',
      ['global: 32'],
      8,
    ],
    [
      'names that every object has',
      `${AXOLOTL.replace('type: alpaca', 'type: chat_template, roles: {constructor: [x]}')}lr_scheduler_kwargs: {valueOf: 1}\noptimizer: constructor`,
      ['adamw(rate: 1e-4', 'valueOf'],
    ],
    ['every weight without use_peft', TRL.replace('true', 'false'), ['using full']],
  ];

describe('numbers of an import', () => {
  for (const [what, file, wanted, devices] of CASES)
    it(`are right: ${what}`, async () => {
      const { text, diagnostics } = await importText(
        'file.yml',
        file,
        devices === undefined ? {} : { devices },
      );
      expect(diagnostics.map(({ message }) => message)).to.deep.equal([]);
      const line = (text ?? '').replace(/\n\s+/g, ' ').replaceAll('( ', '(').replaceAll(', )', ')');
      for (const part of wanted) expect(line).to.contain(part);
    });
});
