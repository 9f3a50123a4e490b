import type { Host } from '../../language/host/host.js';
import { virtualTokensOf } from '../models/adapters/kinds.js';
import { labelsOf } from '../models/adapters/whole.js';
import { readJsonFile } from '../models/read-file.js';
import { type ModelConfig, ModelError } from '../models/types.js';
import { openAdapter } from './adapters.js';
import { checkAdapter } from './check-base.js';
import { LABELS_FILE, readLabels } from './peft/folder.js';

/** What an evaluation needs to know of an adapter before it is over its base. */
interface AdapterFacts {
  readonly labels?: readonly string[];
  readonly virtualTokens: number;
}

/**
 * Of a folder of PEFT. Over a base that this program has a graph for, the adapter is checked against it; over another one,
 * PEFT does that. Throws a `ModelError`.
 */
export function readAdapterFacts(host: Host, folder: string, base: ModelConfig | undefined): AdapterFacts {
  if (base !== undefined) {
    const adapter = openAdapter(host, folder);
    checkAdapter(adapter, base, folder);
    const labels = labelsOf(adapter.config);
    return { ...(labels && { labels }), virtualTokens: virtualTokensOf(adapter.config) };
  }
  const path = `${folder}/adapter_config.json`;
  const json = readJsonFile(host, path, { code: 'adapter_invalid', maxBytes: 5_000_000 });
  if (typeof json['peft_type'] !== 'string')
    throw new ModelError(
      'adapter_invalid',
      path,
      'It does not say what kind of adapter it is ("peft_type").',
      'Use an adapter that PEFT saved.',
    );
  const tokens = json['num_virtual_tokens'];
  const classifies = json['task_type'] === 'SEQ_CLS' || host.stat(`${folder}/${LABELS_FILE}`) !== undefined;
  return {
    ...(classifies && { labels: readLabels(host, folder) }),
    virtualTokens: typeof tokens === 'number' ? tokens : 0,
  };
}

/** Name or path of the base that a folder of PEFT or AdapterHub names. Throws a `ModelError`. */
export function baseNameOf(host: Host, folder: string): string | null {
  const path = `${folder}/adapter_config.json`;
  const json = readJsonFile(host, path, { code: 'adapter_invalid', maxBytes: 5_000_000 });
  const name = json['base_model_name_or_path'];
  return typeof name === 'string' ? name : openAdapter(host, folder).base.name;
}
