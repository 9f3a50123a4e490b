import { basename, dirname } from 'node:path';
import type { Host } from '../../language/host/host.js';
import { ggufAt } from '../models/config-at.js';
import type { ModelSpec } from './spec.js';

/** How a model is evaluated. */
export interface EvaluatedAs extends Pick<ModelSpec, 'dtype' | 'attention'> {
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
  const gguf = ggufAt(host, folder);
  return {
    folder: gguf === undefined ? folder : dirname(gguf),
    gguf: gguf === undefined ? null : basename(gguf),
    task: labels === undefined ? 'causal' : 'classifier',
    labels: labels ?? null,
    ...{ dtype, attention },
    quantisation: storage === 'nf4' ? { type: 'nf4', double: true } : null,
  };
}
