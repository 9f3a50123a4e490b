/** What several devices share becomes a budget, as DeepSpeed, FSDP and accelerate say it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { ftpc } from '../cli/folders.js';
import { errorsOf, importText } from './imported.js';

const TRL = 'model_name_or_path: acme/base\ndataset_name: acme/rows\nuse_peft: true\n';
const AXOLOTL =
  'base_model: acme/base\nadapter: lora\nlora_r: 8\nlora_alpha: 16\nlearning_rate: 1e-4\ndatasets: [{path: acme/rows, type: alpaca}]\n';
const OFFLOADING = JSON.stringify({
  zero_optimization: { stage: 3, offload_optimizer: { device: 'cpu' }, offload_param: { device: 'none' } },
});

/** Settings of the budget, and `cpu_offload` where the training falls back to it; nothing where there is no budget. */
const sharingOf = (text = ''): string => {
  const [, budget = ''] = /^budget machine \{\n(.*?)^\}/ms.exec(text) ?? [];
  const settings = budget.split('\n').map((line) => line.trim());
  const fallback = text.includes('fallback = [cpu_offload]') ? ['cpu_offload'] : [];
  return [...settings.filter((line) => line !== '' && !line.startsWith('//')), ...fallback].join(', ');
};

const ON = 'engine = accelerate';
const CASES: readonly (readonly [what: string, file: string, shares: string, devices?: number])[] = [
  ['nothing for one device', TRL, ''],
  ['rows alone for a number of devices', TRL, '', 8],
  [
    'ZeRO-3 by the name of its file',
    `${TRL}deepspeed: deepspeed_configs/zero3_bf16.json`,
    `${ON}, sharding = fsdp`,
  ],
  [
    'ZeRO-3 with what is kept off the devices',
    `${TRL}deepspeed: ds_z3_offload_config.json`,
    `${ON}, devices = 8, sharding = fsdp, cpu_offload`,
    8,
  ],
  ['ZeRO-2: the planner chooses', `${TRL}deepspeed: ds_z2_config.json`, `${ON}, devices = 4`, 4],
  ['ZeRO-0: replicas', `${TRL}deepspeed: {zero_optimization: {stage: 0}}`, `${ON}, sharding = ddp`],
  ['the file itself', `${TRL}deepspeed: here.json`, `${ON}, sharding = fsdp, cpu_offload`],
  ['full shards', `${TRL}fsdp: "full_shard auto_wrap"`, `${ON}, sharding = fsdp`],
  [
    'shards in the memory of the machine',
    `${TRL}fsdp: [full_shard, offload]`,
    `${ON}, sharding = fsdp, cpu_offload`,
  ],
  ['replicas by FSDP', `${TRL}fsdp: no_shard`, `${ON}, sharding = ddp`],
  ['no FSDP', `${TRL}fsdp: false`, ''],
  [
    'a config of FSDP 2',
    `${AXOLOTL}fsdp_version: 2\nfsdp_config: {offload_params: true, state_dict_type: FULL_STATE_DICT}`,
    `${ON}, sharding = fsdp, cpu_offload`,
  ],
  [
    'shards by their number',
    `${AXOLOTL}dp_shard_size: 8\nmicro_batch_size: 2`,
    `${ON}, devices = 8, sharding = fsdp`,
  ],
  ['replicas that are asked for', `${AXOLOTL}ddp: true`, `${ON}, sharding = ddp`],
  ["TRL's own names", `${TRL}accelerate_config: zero3`, `${ON}, sharding = fsdp`],
  [
    'a file of accelerate',
    'compute_environment: LOCAL_MACHINE\ndistributed_type: FSDP\nnum_machines: 2\nnum_processes: 16\nfsdp_config: {fsdp_offload_params: false}',
    `${ON}, devices = 8, nodes = 2, sharding = fsdp`,
  ],
  [
    'a file of accelerate with DeepSpeed',
    "distributed_type: DEEPSPEED\nnum_processes: 4\nmixed_precision: 'no'\ndeepspeed_config: {zero_stage: 3, zero3_init_flag: true}",
    `${ON}, devices = 4, sharding = fsdp`,
  ],
];

describe('devices of an imported file', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ftpc-devices-'));
    writeFileSync(join(folder, 'here.json'), OFFLOADING);
    writeFileSync(join(folder, 'lora.yml'), `${TRL}per_device_train_batch_size: 2\nfsdp: full_shard\n`);
    writeFileSync(join(folder, 'two.yml'), 'distributed_type: FSDP\nnum_processes: 6\n');
    writeFileSync(join(folder, 'broken.yml'), 'distributed_type: [\n');
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [what, file, shares, devices] of CASES)
    it(`become a budget: ${what}`, async () => {
      const options = { host: nodeHost(folder), ...(devices === undefined ? {} : { devices }) };
      const { text, diagnostics } = await importText('file.yml', file, options);
      expect(diagnostics).to.deep.equal([]);
      expect(sharingOf(text)).to.equal(shares);
      expect(errorsOf(text ?? '')).to.deep.equal([]);
    });

  it('may be in a file of accelerate next to it', async () => {
    const { out, err, code } = await ftpc(folder, ['import', 'lora.yml', '--accelerate', 'two.yml']);
    expect(code, err).to.equal(0);
    expect(out).to.contain('global: 12');
    expect(sharingOf(out)).to.equal(`${ON}, devices = 6, sharding = fsdp`);
    const broken = await ftpc(folder, ['import', 'lora.yml', '--accelerate', 'broken.yml'], {
      NO_COLOR: '1',
    });
    expect(broken.code).to.equal(1);
    expect(broken.err).to.match(/^error\[FTP1601\].*\n +--> broken\.yml:\d+:\d+/);
    const absent = await ftpc(folder, ['import', 'lora.yml', '--accelerate', 'no.yml'], { NO_COLOR: '1' });
    expect(absent.err).to.contain('`no.yml`');
  });
});
