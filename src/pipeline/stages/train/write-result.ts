import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { projectionsOfModel } from '../../../compute/models/architectures/index.js';
import { CHAT_TEMPLATE } from '../../../compute/models/chat-template/index.js';
import { unquantised } from '../../../compute/models/config/index.js';
import { configText } from '../../../compute/models/config/shape.js';
import type { Decoder } from '../../../compute/models/decoder/index.js';
import { classifierFields, padIdOf } from '../../../compute/models/labels.js';
import type { ModelFolder } from '../../../compute/models/load.js';
import { safetensorsChunks, type WritableTensor } from '../../../compute/models/safetensors/write.js';
import {
  type RowPrompt,
  TRAINING_PROMPT_FILE,
  trainingPromptText,
} from '../../../compute/models/training-prompt.js';
import type { AdapterTensors, ModelConfig } from '../../../compute/models/types.js';
import { writeAdapter } from '../../../compute/packaging/adapters.js';
import { trainedCard } from '../../../compute/packaging/model-card.js';
import type { TrainingResult, TrainingState } from '../../../compute/training/index.js';
import type { OutputFolder, StageResult } from '../../../language/ir/outputs.js';
import type { Reference } from '../../../language/ir/program.js';
import { readFormatInfo } from '../format/split-files.js';
import type { StageContext } from '../stage.js';
import type { TrainPlan } from '../train-plan/plan.js';
import { savedAdapter } from './adapters/kinds.js';
import { metricsOf, writeCurves, writeReport, writeSummary } from './result-files.js';
import type { TrainTask } from './train-task.js';

interface TrainingOutcome {
  readonly plan: TrainPlan;
  /** `undefined` if every weight was trained. */
  readonly adapter: AdapterConfig | undefined;
  readonly result: TrainingResult;
}

/** Writes the best and the last state, and how they came to be. */
export async function writeResult(
  task: TrainTask,
  decoder: Decoder,
  { plan, adapter, result: { state, ending } }: TrainingOutcome,
): Promise<StageResult> {
  const { context, rows } = task;
  const kind = adapter === undefined ? 'model' : 'adapter';
  const { style, prompt } = askedBy(task.settings.dataset, context);
  const save = async (name: string, parameters: AdapterTensors): Promise<string> => {
    const folder = `${kind}/${name}`;
    if (adapter === undefined)
      writeModel(context.output, folder, task.model, decoder.options.config, parameters);
    else {
      const first = decoder.options.adapter?.tensors ?? new Map();
      const trained = { config: adapter, tensors: parameters };
      const saved = await savedAdapter(trained, { model: task.model.config, runtime: task.runtime, first });
      writeAdapter(context.output, folder, saved, {
        base: {
          name: task.base.label,
          revision: task.base.commit ?? null,
          transposed: projectionsOfModel(task.model.config).some(({ transposed }) => transposed),
          shape: task.model.config,
        },
        licence: task.model.licence(),
        prompt,
      });
    }
    if (adapter === undefined)
      context.output.write(`${folder}/README.md`, trainedCard(cardOf(task, decoder), prompt));
    if (style !== undefined) context.output.write(`${folder}/${CHAT_TEMPLATE}`, style);
    if (prompt !== undefined)
      context.output.write(`${folder}/${TRAINING_PROMPT_FILE}`, trainingPromptText(prompt));
    return folder;
  };
  const best = await save('best', bestParameters(task, decoder, state));
  const last = await save('last', decoder.parameters);
  writeCurves(context.output, state);
  const dropped = writeReport(context.output, rows);
  writeSummary(context.output, { plan, base: task.base.label, ending, state });
  return {
    outputs: { best, last, [kind]: best, report: 'report.json' },
    metrics: metricsOf(state),
    ...dropped,
  };
}

const cardOf = ({ base, model }: TrainTask, { options }: Decoder) => ({
  base: base.label,
  licence: model.licence(),
  classifies: options.config.labels !== undefined,
});

/** The chat template of the rows, where it is not the base's own, and how they ask. */
function askedBy(
  { stage }: Reference,
  { host, inputs }: StageContext,
): { readonly style?: string; readonly prompt?: RowPrompt } {
  const rows = inputs[stage];
  if (rows === undefined) return {};
  const { template, prompt } = readFormatInfo(host, rows.path);
  return { style: template.source, prompt };
}

/** Without validation the last state is the best that is known. */
function bestParameters(task: TrainTask, decoder: Decoder, { best, step }: TrainingState): AdapterTensors {
  return best === null || best.step === step ? decoder.parameters : task.checkpoints.parametersOf(best.step);
}

/**
 * Writes a fully trained model as a Hugging Face folder: config, tokenizer and template of its base, and float32
 * weights, one tensor at a time. A head that is tied to the embedding has no tensor of its own, as in the base; one over
 * labels replaces it where \`trained\` has them.
 */
function writeModel(
  output: Pick<OutputFolder, 'write'>,
  folder: string,
  base: ModelFolder,
  trained: ModelConfig,
  parameters: Decoder['parameters'],
): void {
  for (const { name, read } of base.companions()) output.write(`${folder}/${name}`, read());
  output.write(`${folder}/config.json`, float32Config(base, trained));
  const tensors = [...parameters].map(
    ([name, parameter]): WritableTensor => ({
      name,
      dtype: 'F32',
      shape: parameter.shape,
      chunks() {
        const { data } = parameter;
        return [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
      },
    }),
  );
  output.write(`${folder}/model.safetensors`, safetensorsChunks(tensors));
}

/** The base's config.json with the type of the new weights, under the name that the file used for it. */
function float32Config(base: ModelFolder, trained: ModelConfig): string {
  const config = unquantised(base.configJson());
  const field = 'dtype' in config ? 'dtype' : 'torch_dtype';
  const classes = trained.labels === undefined ? {} : classifierFields(trained, padIdOf(base.config));
  return configText({ ...config, [field]: 'float32', ...classes });
}
