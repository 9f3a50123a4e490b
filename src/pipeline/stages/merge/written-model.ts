/** The files of a merged model: a Hugging Face folder, or a GGUF file. */
import { adaptedConfig, labelsOf } from '../../../compute/models/adapters/whole.js';
import type { AnyModel } from '../../../compute/models/any-model.js';
import { CHAT_TEMPLATE, readStyle } from '../../../compute/models/chat-template/index.js';
import { unquantised } from '../../../compute/models/config/index.js';
import { floatsAsIn } from '../../../compute/models/config/shape.js';
import { configTextAt } from '../../../compute/models/config-at.js';
import type { LoadedAdapter } from '../../../compute/packaging/adapter-folder.js';
import { noGguf } from '../../../compute/packaging/gguf/gguf-diagnostics.js';
import { exactContext } from '../../../compute/packaging/gguf/index.js';
import { writtenFamily, writtenGguf } from '../../../compute/packaging/gguf/model.js';
import type { StoredAs } from '../../../compute/packaging/merge/dtypes.js';
import { weightFiles } from '../../../compute/packaging/merge/shards.js';
import { mergedRows, mergedTensors } from '../../../compute/packaging/merge/tensors.js';
import { mergedConfig } from '../../../compute/packaging/merge/texts.js';
import { paddingOf } from '../../../compute/packaging/score-padding.js';
import { discarded } from '../../../compute/tensor/garbage.js';
import { llamaOtherBeyond } from '../../../language/diagnostics/catalogue/llama.js';
import type { StageContext } from '../stage.js';
import type { OpenedBase } from './merge-models.js';

/** Where the merged model is in the stage's output. */
export const FOLDER = 'model';

/** The one file of weights where it is GGUF. */
const GGUF_FILE = 'model.gguf';

export interface MergedParts {
  readonly stored: StoredAs;
  readonly model: AnyModel;
  /** What people call the base, and the adapter. */
  readonly labels: { readonly base: string; readonly adapter?: string };
  readonly adapter?: LoadedAdapter;
}

/** Of a GGUF file's companions, what it has no place for. */
const LICENCES = /^(?:LICEN[CS]E|NOTICE|USE_POLICY)/i;

/** Before there are weights and logits: the text of a tokenizer that is in a GGUF file takes hundreds of megabytes. */
export function copyCompanions({ output }: StageContext, { model, stored, adapter }: MergedParts): void {
  const padding = paddingOf(model, labelsOf(adapter?.config));
  for (const companion of model.companions()) {
    if (stored.format === 'gguf' && !LICENCES.test(companion.name)) continue;
    const content = padding.of(companion);
    output.write(`${FOLDER}/${companion.name}`, content);
    discarded(content.length);
  }
}

/** Throws a `UserError` for a model that cannot be stored so; nothing is computed yet. */
export function checkStored(
  { stage, warn }: StageContext,
  { stored, model, adapter, labels }: MergedParts,
): void {
  if (stored.format !== 'gguf') return;
  const what = `\`${labels.base}\``;
  if (model.known === undefined)
    throw noGguf(what, 'its architecture is not one that this program computes', stage.span);
  writtenFamily(adaptedConfig(model.known.config, adapter?.config), what, stage.span);
  const exact = exactContext(model.known.config);
  if (exact !== undefined) warn?.(llamaOtherBeyond(labels.base, exact, stage.span));
}

/** Writes config and weights. */
export function writeModel(context: StageContext, parts: MergedParts, opened: OpenedBase): void {
  (parts.stored.format === 'gguf' ? writeGguf : writeFolder)(context, parts, opened);
}

/** Reports each tensor that is written, and stops where the stage is asked to. */
function progressOf({ signal, stage, emit }: StageContext, total: number): () => void {
  let done = 0;
  return () => {
    done++;
    signal.throwIfAborted();
    emit({ type: 'stage.progress', stage: stage.name, done, total, unit: 'tensors' });
  };
}

function writeGguf(context: StageContext, parts: MergedParts, { weights, plan }: OpenedBase): void {
  const { model, adapter, labels, stored } = parts;
  const { known } = model;
  if (known === undefined) throw new Error('a model without a graph was taken for one with one');
  const { host, output, stage } = context;
  const rows = mergedRows(weights, { ...(plan && { plan }), at: stage.span, stored });
  const template =
    (adapter === undefined ? undefined : readStyle(host, adapter.path)) ?? known.template()?.source;
  const licence = known.licence();
  const lora = adapter?.config.kind === 'lora' ? adapter.config : undefined;
  const file = writtenGguf(host, {
    type: stored.dtype,
    config: { ...known.config, ...(plan?.untied === true && { tieEmbeddings: false }) },
    files: known,
    ...(template !== undefined && { template }),
    origin: {
      name: adapter === undefined ? labels.base : `${labels.base}, fine-tuned`,
      base: labels.base,
      ...(lora !== undefined && {
        description: `${labels.base} with the LoRA adapter ${labels.adapter} (rank ${lora.rank}, alpha ${lora.alpha}) merged into its weights.`,
      }),
      ...(licence !== undefined && { licence }),
    },
    source: rows.source,
    onTensor: progressOf(context, rows.names.length),
    at: stage.span,
  });
  output.write(`${FOLDER}/${GGUF_FILE}`, file.chunks());
}

function writeFolder(context: StageContext, parts: MergedParts, opened: OpenedBase): void {
  const { host, output, stage } = context;
  const { model, adapter, stored } = parts;
  if (stored.format !== 'safetensors') throw new Error('not the dtype of a folder');
  const { dtype } = stored;
  const { weights, plan, others } = opened;
  const tensors = mergedTensors(weights, {
    dtype,
    ...(plan && { plan }),
    at: stage.span,
    onTensor: progressOf(context, weights.names().length),
  });
  for (const [name, content] of weightFiles([...tensors, ...others]))
    output.write(`${FOLDER}/${name}`, content);
  const style = adapter === undefined ? undefined : readStyle(host, adapter.path);
  if (style !== undefined) output.write(`${FOLDER}/${CHAT_TEMPLATE}`, style);
  const labels = labelsOf(adapter?.config);
  const classes = labels && opened.classifierFields(labels, paddingOf(model, labels).id);
  const json = others.length > 0 ? model.configJson() : unquantised(model.configJson());
  const config = mergedConfig(json, dtype, { untied: plan?.untied === true, ...(classes && { classes }) });
  const original = model.known === undefined ? configTextAt(host, model.path) : '';
  output.write(`${FOLDER}/config.json`, floatsAsIn(original, config));
}
