import { basename, dirname } from 'node:path';
import type { Host } from '../../language/host/host.js';
import { ggufAt } from '../models/config-at.js';
import { openGguf } from '../models/gguf/open.js';
import type { ModelFolder } from '../models/load.js';
import type { GgufSpec, GgufTensorSpec, ModelSpec } from './spec.js';

/** How a model is evaluated. */
interface EvaluatedAs extends Pick<ModelSpec, 'dtype' | 'attention'> {
  /** Of a classifier. */
  readonly labels?: readonly string[];
  /** `nf4`: linear layers in four bits. */
  readonly storage: 'stored' | 'f32' | 'nf4';
}

/** `folder`: a folder in Hugging Face layout, or a GGUF file or its folder. */
export function modelSpec(
  host: Host,
  folder: string,
  { labels, storage, dtype, attention }: EvaluatedAs,
): ModelSpec {
  const file = ggufAt(host, folder);
  return {
    ...(file === undefined ? { folder, gguf: null } : placeOf(openGguf(host, file))),
    task: labels === undefined ? 'causal' : 'classifier',
    labels: labels ?? null,
    ...{ dtype, attention },
    quantisation: storage === 'nf4' ? { type: 'nf4', double: true } : null,
  };
}

/** Where the driver finds a model as it is, and how it reads it. */
export const placeOf = (model: ModelFolder): Pick<ModelSpec, 'folder' | 'gguf'> =>
  model.gguf === undefined
    ? { folder: model.path, gguf: null }
    : { folder: dirname(model.path), gguf: ggufSpec(model, model.gguf) };

const ggufSpec = ({ path, configJson }: ModelFolder, layout: NonNullable<ModelFolder['gguf']>): GgufSpec => ({
  file: basename(path),
  config: configJson(),
  tensors: layout.map(
    ({ name, shape, ggufName, member, arrangement }): GgufTensorSpec => ({
      ...{ name, stored: ggufName, shape },
      ...(member !== undefined && { member }),
      ...(arrangement.kind === 'transposed' && { transposed: true }),
      ...(arrangement.kind === 'one_more' && { one_more: true }),
      ...(arrangement.kind === 'rows' && { axes: arrangement.axes }),
    }),
  ),
});
