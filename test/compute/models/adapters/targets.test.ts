import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  adaptedProjections,
  branchAt,
  projectionsNamed,
  type TargetSet,
  targetsOfSet,
} from '../../../../src/compute/models/adapters/branches.js';
import type { LoraConfig } from '../../../../src/compute/models/adapters/config.js';
import { projectionsOfModel } from '../../../../src/compute/models/architectures/index.js';
import { parseConfig } from '../../../../src/compute/models/config/index.js';
import type { ModelConfig } from '../../../../src/compute/models/types.js';
import type { Json } from '../../../../src/language/host/json.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { PROJECTIONS } from '../../../../src/language/schemas/stages/train.js';

const folder = join(nodeHost().packageFolder, 'test/fixtures/architectures');
const configOf = (name: string): ModelConfig => {
  const { config } = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as { config: Json };
  return parseConfig(config, name);
};
const recorded = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.replace('.json', ''));

describe('targets of adapters', () => {
  it('are known to the language by the names of every family', () => {
    const names = new Set(
      recorded.flatMap((name) => projectionsOfModel(configOf(name)).map(({ target }) => target)),
    );
    expect([...PROJECTIONS].sort()).to.deep.equal([...names].sort());
  });

  const SETS: readonly (readonly [string, Readonly<Record<TargetSet, readonly string[]>>])[] = [
    [
      'tied',
      {
        all_linear: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
        attention: ['q_proj', 'k_proj', 'v_proj', 'o_proj'],
        query_value: ['q_proj', 'v_proj'],
      },
    ],
    [
      'phi3',
      {
        all_linear: ['qkv_proj', 'o_proj', 'gate_up_proj', 'down_proj'],
        attention: ['qkv_proj', 'o_proj'],
        query_value: ['qkv_proj'],
      },
    ],
    [
      'gpt2',
      {
        all_linear: ['c_attn', 'c_proj', 'c_fc'],
        // the MLP has a c_proj too
        attention: ['c_attn', 'attn.c_proj'],
        query_value: ['c_attn'],
      },
    ],
    [
      'neox',
      {
        all_linear: ['query_key_value', 'dense', 'dense_h_to_4h', 'dense_4h_to_h'],
        attention: ['query_key_value', 'dense'],
        query_value: ['query_key_value'],
      },
    ],
  ];
  for (const [name, sets] of SETS)
    it(`has the sets of ${name}`, () => {
      const config = configOf(name);
      for (const set of Object.keys(sets) as TargetSet[]) {
        const targets = targetsOfSet(config, set);
        expect(targets).to.deep.equal(sets[set]);
        const covered = adaptedProjections(config, { kind: 'lora', rank: 1, alpha: 1, dropout: 0, targets });
        if (set === 'all_linear') expect(covered.length).to.equal(projectionsOfModel(config).length);
        if (set === 'attention') expect(covered.every(({ path }) => /att/.test(path))).to.equal(true);
      }
    });

  it('count by a whole path in every layer, by the end of one in `layers`', () => {
    const lora: LoraConfig = {
      kind: 'lora',
      rank: 2,
      alpha: 2,
      dropout: 0,
      layers: [1],
      targets: ['v_proj', 'model.layers.0.self_attn.q_proj'],
    };
    const at = (path: string, layer: number) => branchAt(lora, path, layer) !== undefined;
    expect(at('model.layers.0.self_attn.q_proj', 0)).to.equal(true);
    expect(at('model.layers.1.self_attn.q_proj', 1)).to.equal(false);
    expect(at('model.layers.0.self_attn.v_proj', 0)).to.equal(false);
    expect(at('model.layers.1.self_attn.v_proj', 1)).to.equal(true);
  });

  it('name layers by the end of their paths from a dot on', () => {
    const config = configOf('tied');
    expect(projectionsNamed(config, 'proj')).to.deep.equal([]);
    expect(projectionsNamed(config, 'mlp.up_proj').length).to.equal(config.layers);
    expect(projectionsNamed(config, 'layers.1.mlp.up_proj').length).to.equal(1);
  });
});
