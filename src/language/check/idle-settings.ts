/** Settings that are well typed but have no effect here, or conflict with another one. */
import * as wiring from '../diagnostics/catalogue/wiring.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Call, Value } from '../ir/program.js';
import { isCall, isList } from '../ir/values.js';
import { UNVALIDATED } from '../schemas/functions/metric.js';
import { lookUp } from '../source/look-up.js';
import type { Span } from '../source/span.js';
import type { Expression } from '../syntax/ast.js';
import type { CheckedStage } from './stages.js';

type Record = Readonly<{ readonly [key: string]: Value }>;

/** Of what the block itself sets: where a value is; nothing of what presets and defaults say. */
function written({ block }: CheckedStage, key: string, field?: string): Span | undefined {
  const whole = block.properties.find((property) => property.key.text === key)?.value;
  const entries = whole?.kind === 'record' ? whole.entries : [];
  const value = field === undefined ? whole : entries.find((entry) => entry.key.text === field)?.value;
  return value?.kind === 'none' ? undefined : value?.span;
}

const recordIn = ({ stage }: CheckedStage, key: string): Record => (stage.settings[key] ?? {}) as Record;

/** The function that the optimizer's schedule is. */
function scheduleOf({ stage }: CheckedStage): string | undefined {
  const { optimizer } = stage.settings;
  const schedule = isCall(optimizer) ? optimizer.args['schedule'] : undefined;
  return isCall(schedule) ? schedule.call : undefined;
}

/** A train stage. */
export function idleSettings(checked: CheckedStage): readonly Diagnostic[] {
  const { stage } = checked;
  if (stage.kind === 'eval') return comparedWithItself(checked);
  if (stage.kind !== 'train') return [];
  const found: Diagnostic[] = [];
  const patience = written(checked, 'stop', 'patience');
  // A `validate` that a parameter leaves out is there for other values of it.
  const validates = stage.settings['validate'] !== undefined || written(checked, 'validate') !== undefined;
  if (patience !== undefined && !validates)
    found.push(
      wiring.idleSetting(
        patience,
        '`patience` counts validations, but there is no `validate`',
        'set `validate = ….valid`, or remove it',
      ),
    );
  const schedule = scheduleOf(checked);
  if (schedule === 'reduce_on_plateau' && !validates)
    found.push(
      wiring.idleSetting(
        written(checked, 'optimizer') ?? checked.block.name.span,
        '`reduce_on_plateau` counts validations, but there is no `validate`',
        'set `validate = ….valid`, or choose another schedule',
      ),
    );
  found.push(...idleValidation(checked, validates));
  const lora = written(checked, 'lora');
  if (lora !== undefined && stage.preset === 'full')
    found.push(
      wiring.idleSetting(
        lora,
        '`lora` configures an adapter, but `full` trains every weight',
        'remove it, or the method `full`',
      ),
    );
  const methods = ['prompt', 'prefix', 'adapter'].filter((key) => stage.settings[key] !== undefined);
  const [first, ...others] = methods;
  if (first !== undefined)
    for (const other of others) {
      const place = written(checked, other) ?? written(checked, first) ?? checked.block.name.span;
      found.push(
        other === 'adapter' ? wiring.adapterWithVirtualTokens(place, first) : wiring.promptAndPrefix(place),
      );
    }
  const { micro, global } = recordIn(checked, 'batch');
  const at = written(checked, 'batch', 'micro') ?? written(checked, 'batch');
  if (typeof micro === 'number' && typeof global === 'number' && micro > global && at !== undefined)
    found.push(wiring.microAboveGlobal(at, micro, global));
  return [...found, ...idleFallbacks(checked)];
}

/** What a validation is to measure, where there is none, or where nothing asks for it. */
function idleValidation(checked: CheckedStage, validates: boolean): readonly Diagnostic[] {
  const repetition = written(checked, 'watch', 'repetition');
  const validation = written(checked, 'validation');
  const first = validation ?? repetition;
  if (first !== undefined && !validates) {
    const name = validation === undefined ? 'repetition' : 'validation';
    const why = `\`${name}\` is about the rows of \`validate\`, but there is no \`validate\``;
    return [wiring.idleSetting(first, why, 'set `validate = ….valid`, or remove it')];
  }
  if (validation === undefined) return [];
  const { metrics, best } = recordIn(checked, 'validation');
  const measured = isList(metrics) ? metrics.filter(isCall).map(({ call }) => call) : [];
  const useless = measured.find((name) => UNVALIDATED.includes(name));
  if (useless !== undefined)
    return [wiring.notOfValidations(written(checked, 'validation', 'metrics') ?? validation, useless)];
  if (typeof best === 'string' && best !== 'loss' && !measured.includes(best))
    return [wiring.bestNotMeasured(written(checked, 'validation', 'best') ?? validation, best)];
  const answering = ['rows', 'max_tokens'].flatMap((key) => written(checked, 'validation', key) ?? []);
  const [unused] = answering;
  const answers = measured.length > 0 || recordIn(checked, 'watch')['repetition'] !== undefined;
  if (unused === undefined || answers) return [];
  return [
    wiring.idleSetting(
      unused,
      'nothing looks at answers of the validation: its loss is of all rows',
      'add `metrics`, e.g. `metrics: [rouge_l]`, or remove it',
    ),
  ];
}

/** Why a step of the ladder offers nothing, by its name. */
const NOTHING_TO_OFFER: Readonly<{
  [step: string]: (args: Call['args'], checked: CheckedStage) => string | undefined;
}> = {
  qlora: (_, { stage }) =>
    stage.preset === 'qlora'
      ? 'the base is already in 4 bits'
      : stage.preset === 'full'
        ? '`full` trains every weight, which 4 bits cannot hold'
        : undefined,
  lower_rank: ({ min }, checked) => {
    if (checked.stage.preset === 'full') return '`full` has no rank';
    if (checked.stage.settings['adapter'] !== undefined) return 'bottleneck adapters have no rank';
    const without = ['prompt', 'prefix'].find((key) => checked.stage.settings[key] !== undefined);
    if (without !== undefined) return `a \`${without}\` has no rank`;
    const { rank } = recordIn(checked, 'lora');
    return typeof rank === 'number' && Number(min) > rank / 2
      ? `half of the rank ${rank} is less than that`
      : undefined;
  },
};

function idleFallbacks(checked: CheckedStage): readonly Diagnostic[] {
  const list = checked.block.properties.find(({ key }) => key.text === 'fallback')?.value;
  const steps = checked.stage.settings['fallback'];
  if (list?.kind !== 'list' || !isList(steps)) return [];
  return steps.filter(isCall).flatMap(({ call, args }, index) => {
    const why = lookUp(NOTHING_TO_OFFER, call)?.(args, checked);
    const item: Expression | undefined = list.items[index];
    return why === undefined || item === undefined
      ? []
      : [wiring.idleSetting(item.span, `\`${call}\` has no effect here: ${why}`, 'remove it')];
  });
}

/** The same model on the same rows gives the same figures; under an adapter it is another one. */
function comparedWithItself(checked: CheckedStage): readonly Diagnostic[] {
  const { model, adapter, baseline } = checked.stage.settings;
  const at = written(checked, 'baseline');
  return at !== undefined &&
    adapter === undefined &&
    baseline !== undefined &&
    JSON.stringify(model) === JSON.stringify(baseline)
    ? [wiring.comparedWithItself(at)]
    : [];
}
