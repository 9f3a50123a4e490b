import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { adaptedConfig } from '../../../compute/models/adapters/whole.js';
import { coverageLines, coverageOf, trainableLine } from './coverage.js';
import type { TrainRows } from './train-rows.js';
import type { TrainTask } from './train-task.js';

/** Says what is trained, and on what. */
export function describe(
  { context, model, rows, validation, ...task }: TrainTask,
  adapter: AdapterConfig | undefined,
): void {
  const note = (text: string): void => context.emit({ type: 'note', stage: context.stage.name, text });
  const coverage = coverageOf(adaptedConfig(model.config, task.adapter), adapter);
  note(trainableLine(coverage));
  if (adapter !== undefined) for (const line of coverageLines(coverage.modules)) note(line);
  const left = (all: TrainRows): string => `${all.total - all.count} of ${all.total}`;
  if (rows.count < rows.total)
    note(`${left(rows)} rows are too long and were left out; report.json lists them`);
  if (validation !== undefined && validation.count < validation.total) {
    note(`${left(validation)} validation rows are too long and left out`);
  }
  if (validation?.count === 0) {
    note('no validation row is left: training is not watched, and the last state counts as the best');
  }
  context.output.write('coverage.json', `${JSON.stringify(coverage, null, 2)}\n`);
}
