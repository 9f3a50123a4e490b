import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { adaptedConfig } from '../../../compute/models/adapters/whole.js';
import {
  hasNewTokens,
  newTokensText,
  SPECIAL_TOKENS_FILE,
  tokenizerCompanions,
} from '../../../compute/models/added-tokens.js';
import { projectionsOfModel } from '../../../compute/models/architectures/index.js';
import { CHAT_TEMPLATE } from '../../../compute/models/chat-template/index.js';
import { configTextAt } from '../../../compute/models/config-at.js';
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
import { readFormatInfo } from '../format/split-files.js';
import type { TrainPlan } from '../train-plan/plan.js';
import { savedAdapter } from './adapters/kinds.js';
import { validationSettings } from './loop-settings.js';
import { writeModel } from './model-files.js';
import { metricsOf, writeCurves, writeReport, writeSummary } from './result-files.js';
import { repeatsItself, repetitionText } from './train-diagnostics.js';
import type { TrainTask } from './train-task.js';

/** What training has led to, whichever engine computed. */
interface TrainingOutcome extends TrainingResult {
  readonly plan: TrainPlan;
  /** `undefined` if every weight was trained. */
  readonly adapter: AdapterConfig | undefined;
  /** The tensors of the adapter that training began with. */
  readonly first: AdapterTensors;
  /** Of the step with the lowest validation loss, and of the last one; each may be read when it is asked for. */
  readonly best: AdapterTensors;
  readonly last: AdapterTensors;
}

/** Writes the best and the last state, and how they came to be. */
export async function writeResult(task: TrainTask, outcome: TrainingOutcome): Promise<StageResult> {
  const { plan, adapter, first, state, ending } = outcome;
  const { context, rows } = task;
  if (ending === 'repetition') endRepeating(task, state);
  const config = adaptedConfig(task.model.config, task.adapter);
  const kind = adapter === undefined ? 'model' : 'adapter';
  const { prompt } = askedBy(task);
  const save = async (name: string, parameters: AdapterTensors): Promise<string> => {
    const folder = `${kind}/${name}`;
    if (adapter === undefined)
      writeModel(context.output, folder, task.model, config, parameters, ownConfig(task));
    else {
      const trained = { config: adapter, tensors: parameters };
      const saved = await savedAdapter(trained, {
        ...{ model: task.model.config, first },
        runtime: () => task.runtime(),
      });
      writeAdapter(context.output, folder, saved, {
        base: {
          name: task.base.label,
          revision: task.base.commit ?? null,
          transposed: projectionsOfModel(task.model.config).some(({ transposed }) => transposed),
          shape: task.model.config,
          ...(hasNewTokens(task.base) && { resized: task.model.config.vocabSize }),
        },
        licence: task.model.licence(),
        prompt,
      });
    }
    if (adapter === undefined)
      context.output.write(`${folder}/README.md`, trainedCard(cardOf(task, config), prompt));
    writeCompanions(context.output, folder, task, adapter !== undefined);
    return folder;
  };
  const best = await save('best', outcome.best);
  const last = await save('last', outcome.last);
  writeCurves(context.output, state, validationSettings(task.settings));
  const dropped = writeReport(context.output, rows);
  writeSummary(context.output, { plan, base: task.base.label, ending, state });
  return {
    outputs: { best, last, [kind]: best, report: 'report.json' },
    metrics: metricsOf(state),
    ...dropped,
  };
}

/** The text of the config of a base that this program has no graph for. */
const ownConfig = ({ model: { config, path }, context: { host } }: TrainTask): string =>
  config.foreign === undefined ? '' : configTextAt(host, path);

/**
 * What goes with trained weights: the chat template of the rows, where it is not the base's own, and how they ask; with
 * an adapter, the tokens that its base gets and has not in its files. Says whether there is any.
 */
export function writeCompanions(
  output: Pick<OutputFolder, 'write'>,
  folder: string,
  task: TrainTask,
  isAdapter: boolean,
): boolean {
  const { base, model } = task;
  const { style, prompt } = askedBy(task);
  const hasTokens = isAdapter && hasNewTokens(base);
  if (hasTokens) {
    for (const { name, read } of tokenizerCompanions(model)) output.write(`${folder}/${name}`, read());
    output.write(`${folder}/${SPECIAL_TOKENS_FILE}`, newTokensText(base));
  }
  if (style !== undefined) output.write(`${folder}/${CHAT_TEMPLATE}`, style);
  if (prompt !== undefined) output.write(`${folder}/${TRAINING_PROMPT_FILE}`, trainingPromptText(prompt));
  return hasTokens || style !== undefined || prompt !== undefined;
}

/** Says that training has ended early. Throws a `UserError` if no validation before had other answers. */
function endRepeating(
  { context: { stage, emit } }: TrainTask,
  { best, step, validations }: TrainingState,
): void {
  const repetition = validations.at(-1)?.repetition ?? { share: 0, usual: 0 };
  if (best === null) throw repeatsItself(stage, step, repetition);
  const text = `training ends after step ${step}: ${repetitionText(repetition)}; the best checkpoint is of step ${best.step}`;
  emit({ type: 'note', stage: stage.name, text });
}

const cardOf = ({ base, model }: TrainTask, { labels }: ModelConfig) => ({
  base: base.label,
  licence: model.licence(),
  classifies: labels !== undefined,
});

/** The chat template of the rows, and how they ask. */
function askedBy({ settings, context: { host, inputs } }: TrainTask): {
  readonly style?: string;
  readonly prompt?: RowPrompt;
} {
  const rows = inputs[settings.dataset.stage];
  if (rows === undefined) return {};
  const { template, prompt } = readFormatInfo(host, rows.path);
  return { style: template.source, prompt };
}
