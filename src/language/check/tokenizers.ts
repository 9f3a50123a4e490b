/** Whose tokenizer a format uses where it does not say: that of the one base that is trained on it. */
import { noTokenizer, severalTokenizers } from '../diagnostics/catalogue/wiring.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Call, Value } from '../ir/program.js';
import { isCall } from '../ir/values.js';
import { references } from './stage-graph.js';
import { headingOf } from './stage-settings.js';
import type { CheckedStage } from './stages.js';

type Stages = ReadonlyMap<string, CheckedStage>;

export function fillTokenizers(
  stages: readonly CheckedStage[],
  report: (diagnostic: Diagnostic) => void,
): readonly CheckedStage[] {
  // A stage that is invalid may be the one that reads a format.
  if (stages.some(({ isSound }) => !isSound)) return stages;
  const byName = new Map(stages.map((checked) => [checked.stage.name, checked]));
  const readersOf = readersByFormat(stages);
  return stages.map((checked) => {
    const { stage } = checked;
    if (stage.kind !== 'format' || stage.settings['model'] !== undefined) return checked;
    const readers = readersOf.get(stage.name) ?? [];
    const trains = readers.filter(({ stage }) => stage.kind === 'train');
    const users = trains.length > 0 ? trains : readers;
    const models = users.map((user) => modelUnder(user, byName));
    const [model] = models;
    const heading = headingOf(checked);
    if (model === undefined || models.some((other) => other === undefined)) {
      report(noTokenizer(heading, stage.name));
      return checked;
    }
    if (models.some((other) => JSON.stringify(other) !== JSON.stringify(model))) {
      report(
        severalTokenizers(
          heading,
          stage.name,
          users.map(({ stage }) => stage.name),
        ),
      );
      return checked;
    }
    return {
      ...checked,
      stage: {
        ...stage,
        settings: { ...stage.settings, model },
        origins: { ...stage.origins, model: 'default' as const },
      },
    };
  });
}

/** The stages that read rows of each format, in order, each once. */
function readersByFormat(stages: readonly CheckedStage[]): ReadonlyMap<string, readonly CheckedStage[]> {
  const found = new Map<string, CheckedStage[]>();
  for (const checked of stages)
    for (const key of ['dataset', 'validate'])
      for (const { stage } of references(checked.stage.settings[key] ?? null)) {
        const readers = found.get(stage) ?? [];
        if (readers.at(-1) !== checked) readers.push(checked);
        found.set(stage, readers);
      }
  return found;
}

/** The model whose tokenizer a stage brings: its base, or the base of the stage whose model it takes. */
export function modelUnder(checked: CheckedStage, stages: Stages, depth = 0): Call | undefined {
  const { settings, kind } = checked.stage;
  const value: Value | undefined =
    kind === 'train' || kind === 'merge' ? settings['base'] : settings['model'];
  if (value === undefined || depth > stages.size) return undefined;
  if (isCall(value)) return value;
  const [reference] = references(value);
  const source = reference === undefined ? undefined : stages.get(reference.stage);
  return source === undefined ? undefined : modelUnder(source, stages, depth + 1);
}
