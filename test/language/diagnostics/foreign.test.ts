import { join } from 'node:path';
import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { foreignNames, foreignSetting } from '../../../src/language/diagnostics/foreign.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { settingSpots } from '../../../src/language/schemas/setting-spots.js';
import { overlayHost } from '../../helpers/overlay-host.js';

const folder = join(nodeHost().packageFolder, 'test/language/mistakes');

/** Blocks with what they must set, and without what the line sets. */
const BLOCKS: Readonly<Record<string, readonly string[]>> = {
  data: ['source = jsonl("data/rows.jsonl")'],
  format: ['from = rows', 'template = chat()', 'model = starter()'],
  train: ['base = starter()', 'dataset = dialogs.train', 'optimizer = adamw(rate: 2e-4)'],
  deploy: ['model = adapter.best', 'target = directory("releases")'],
};

const NAMES: Readonly<Record<string, string>> = {
  data: 'rows',
  format: 'dialogs',
  train: 'adapter',
  deploy: 'out',
};

/** A pipeline with the line in its block, or in the heading. */
function pipelineWith(block: string, line: string): string {
  const name = line.slice(0, line.indexOf(' '));
  const blocks = Object.entries(BLOCKS).map(([kind, settings]) => {
    const own = kind === block ? [...settings.filter((one) => !one.startsWith(`${name} =`)), line] : settings;
    const using = block === 'heading' && kind === 'train' ? ` ${line}` : '';
    return `${kind} ${NAMES[kind]}${using} {\n  ${own.join('\n  ')}\n}\n`;
  });
  return `edition 2026\n\nimport { jsonl } from "std/data"\nimport { chat, completion } from "std/format"\n\n${blocks.join('\n')}`;
}

describe('settings of other tools', () => {
  it('leave the precision to the GPU where they are `auto`, and keep what says float32', () => {
    const lineOf = (name: string, value: string | boolean) => foreignSetting(name, value);
    expect(lineOf('bf16', 'auto')).to.include({ line: 'precision = auto' });
    expect(lineOf('torch_dtype', 'auto')).to.include({ line: 'precision = auto' });
    for (const [name, value] of [
      ['bf16', false],
      ['mixed_precision', 'no'],
      ['torch_dtype', 'float32'],
    ] as const)
      expect(lineOf(name, value), name).to.include({ line: 'precision = f32' });
    for (const [name, value] of [
      ['bf16', true],
      ['mixed_precision', 'bf16'],
      ['fp16', true],
    ] as const)
      expect(lineOf(name, value), name).to.include({ line: 'precision = bf16' });
  });

  it('name settings that are there', () => {
    const missing = foreignNames().filter((name) => {
      const foreign = foreignSetting(name);
      return foreign !== undefined && 'setting' in foreign && !settingSpots().has(foreign.setting);
    });
    expect(missing).to.deep.equal([]);
  });

  it('have lines that are right where they are to be written, whatever the value was', () => {
    for (const name of foreignNames())
      for (const value of [undefined, true, false, 0.1, 'lora']) {
        const foreign = foreignSetting(name, value);
        if (foreign === undefined || !('line' in foreign) || foreign.line.includes('…')) continue;
        // Files of the author, which are not here.
        const line = foreign.line.replace('file("system.md")', 'file("prompts/system.md")');
        if (line.startsWith('start =')) continue;
        const { diagnostics } = compile(
          overlayHost(folder, { 'x.ftp': pipelineWith(foreign.block, line) }),
          'x.ftp',
        );
        const errors = diagnostics.filter(({ severity }) => severity === 'error');
        expect(
          errors.map(({ message }) => message),
          `${name} = ${value}: ${line}`,
        ).to.deep.equal([]);
      }
  });

  it('are known that people use most', () => {
    const names =
      'bf16 fp16 max_seq_length sequence_len sample_packing train_on_inputs val_set_size report_to wandb_project load_in_4bit per_device_train_batch_size num_train_epochs lora_r lora_alpha target_modules gradient_checkpointing micro_batch_size cutoff_len warmup_ratio warmup_steps learning_rate lr_scheduler_type weight_decay max_grad_norm gradient_accumulation_steps output_dir logging_steps save_steps eval_steps save_total_limit max_steps neftune_noise_alpha lora_dropout base_model flash_attention deepspeed group_by_length val_size finetuning_type model_name_or_path dataset_dir optim';
    const own = ['neftune_noise_alpha'];
    expect(
      names.split(' ').filter((name) => foreignSetting(name) === undefined && !own.includes(name)),
    ).to.deep.equal([]);
  });
});
