/** Which tensor gets which type, as llama.cpp's tool gave it: test/fixtures/gguf-quantise/record.py. */
import { expect } from 'chai';
import * as v from 'valibot';
import type { ArchitectureName } from '../../../../src/compute/models/types.js';
import { tensorFormat } from '../../../../src/compute/packaging/gguf/tensor-formats.js';
import { GGUF_TYPES, type GgufType } from '../../../../src/compute/packaging/gguf/types.js';
import { readFixtureBytes } from '../../models/fixtures.js';

const MIXES = v.record(
  v.string(),
  v.object({
    architecture: v.string(),
    layers: v.number(),
    heads: v.number(),
    keyValueHeads: v.number(),
    tieEmbeddings: v.boolean(),
    tensors: v.record(v.string(), v.array(v.number())),
    types: v.record(v.string(), v.record(v.string(), v.union([v.string(), v.array(v.string())]))),
  }),
);
const mixes = v.parse(
  MIXES,
  JSON.parse(Buffer.from(readFixtureBytes('gguf-quantise/mixes.json')).toString('utf8')),
);

describe('the formats of a GGUF file’s tensors', () => {
  for (const [model, { tensors, types, ...config }] of Object.entries(mixes))
    it(`are those of llama.cpp’s tool: ${model}`, () => {
      for (const [type, parts] of Object.entries(types))
        for (const [name, shape] of Object.entries(tensors)) {
          const part = name.replace(/^blk\.0\./, '');
          for (let layer = 0; layer < (part === name ? 1 : config.layers); layer++) {
            const found = parts[part];
            const wanted = typeof found === 'string' ? found : found?.[layer];
            const file = name.replace(/^blk\.0\./, `blk.${layer}.`);
            const ours = tensorFormat(
              type as GgufType,
              { name: file, shape },
              { ...config, architecture: config.architecture as ArchitectureName },
            );
            expect(ours, `${type} ${file}`).to.equal(wanted);
          }
        }
      expect(Object.keys(types).length).to.equal(
        Object.values(GGUF_TYPES).filter(({ fileType }) => fileType > 1 && fileType !== 32).length,
      );
    });
});
