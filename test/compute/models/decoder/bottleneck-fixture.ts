/** Tiny models with bottleneck adapters, and what AdapterHub's `adapters` computed for them. */
import { parseConfig } from '../../../../src/compute/models/config/index.js';
import type { Adapter } from '../../../../src/compute/models/types.js';
import { parseBottleneck } from '../../../../src/compute/packaging/adapterhub/config-file.js';
import type { Json } from '../../../../src/language/host/json.js';
import { batchOf, type Packed, type RecordedModel, recordingsIn, unpackAll } from './fixture.js';

/** See test/fixtures/bottleneck/record.py. */
export interface BottleneckRecording extends RecordedModel {
  readonly adapter: {
    /** What `adapters` writes as adapter_config.json. */
    readonly config: Json;
    readonly tensors: Readonly<Record<string, Packed>>;
    readonly logits: Packed;
    readonly rows: readonly number[];
    readonly gradients: Readonly<Record<string, Packed>>;
    readonly greedy: readonly (readonly number[])[];
  };
}

const recordings = recordingsIn<BottleneckRecording>('bottleneck');

export const BOTTLENECK_FIXTURES = recordings.names;

export function bottleneckFixture(name: string) {
  const recording = recordings.read(name);
  const { config, tensors } = recording.adapter;
  const adapter: Adapter = { config: parseBottleneck(config, name).config, tensors: unpackAll(tensors) };
  return {
    recording,
    config: parseConfig(recording.config, `${name}.json`),
    adapter,
    batch: batchOf(recording),
  };
}
