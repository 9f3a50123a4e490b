/**
 * `labels.json`: what the classes of a classification head are called, which an adapter folder of PEFT does not say. In
 * a folder of transformers the same fields are in `config.json`.
 */

import type { Host } from '../../../language/host/host.js';
import { readJsonFile } from '../../models/json-file.js';
import { labelFields, labelsIn } from '../../models/labels.js';
import { ModelError } from '../../models/types.js';

export const LABELS = 'labels.json';

export const formatLabels = (labels: readonly string[]): string =>
  `${JSON.stringify(labelFields(labels), null, 2)}\n`;

/** Throws a {@link ModelError} `adapter_invalid`. */
export function readLabels(host: Host, folder: string): readonly string[] {
  const path = `${folder}/${LABELS}`;
  const wrong = (at: string, detail: string): ModelError =>
    new ModelError(
      'adapter_invalid',
      at,
      detail,
      `Write \`{ "id2label": { "0": "first label", "1": "second label" } }\` into ${path}.`,
    );
  if (host.stat(path) === undefined)
    throw wrong(folder, `The adapter classifies (task_type SEQ_CLS), but its labels have no names.`);
  const labels = labelsIn(readJsonFile(host, path, { code: 'adapter_invalid', maxBytes: 5_000_000 }));
  if (labels === undefined) throw wrong(path, '"id2label" does not give every number from 0 a unique name.');
  return labels;
}
