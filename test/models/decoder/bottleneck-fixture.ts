/** Tiny models with bottleneck adapters, and what AdapterHub's `adapters` computed for them. */
import { readdirSync, readFileSync } from 'node:fs';
import { parseConfig } from '../../../src/models/config/index.js';
import type { Batch } from '../../../src/models/decoder/types.js';
import type { Json } from '../../../src/models/json-file.js';
import type { Adapter } from '../../../src/models/types.js';
import { parseBottleneck } from '../../../src/packaging/adapterhub/config-file.js';
import { type Packed, unpack } from './fixture.js';

/** See test/fixtures/bottleneck/record.py. */
export interface BottleneckRecording {
  readonly config: Json;
  readonly lengths: readonly number[];
  readonly rows: number;
  readonly length: number;
  readonly supervised: number;
  readonly ids: readonly number[];
  readonly labels: readonly number[];
  readonly weights: Readonly<Record<string, Packed>>;
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

// compiled tests lie one folder deeper than the fixtures' own root
const FOLDER = new URL('../../../../test/fixtures/bottleneck/', import.meta.url);
export const BOTTLENECK_FIXTURES: readonly string[] = readdirSync(FOLDER).flatMap((file) =>
  file.endsWith('.json') ? [file.replace('.json', '')] : [],
);

export function bottleneckFixture(name: string) {
  const recording: BottleneckRecording = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'));
  const { rows, length, ids, labels, adapter: recorded } = recording;
  const tensors = Object.entries(recorded.tensors).map(
    ([key, packed]) => [key, { shape: packed.shape, data: unpack(packed) }] as const,
  );
  const adapter: Adapter = {
    config: parseBottleneck(recorded.config, name).config,
    tensors: new Map(tensors),
  };
  const batch: Batch = { rows, length, ids: Int32Array.from(ids), labels: Int32Array.from(labels) };
  return { recording, config: parseConfig(recording.config, `${name}.json`), adapter, batch };
}
