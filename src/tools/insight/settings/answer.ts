/** What a name of a pipeline refers to: a setting, a stage with all its settings, or a parameter. */
import { noSuchSetting } from '../../../language/diagnostics/catalogue/insight.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { StageKind } from '../../../language/ir/program.js';
import { schemas } from '../../../language/schemas/stages/index.js';
import { noSuchName } from '../stage-names.js';
import { splitName } from './address.js';
import { explainSettings, type Pipeline, type SettingExplanation } from './explain.js';
import { lintsIn, type SettingLint } from './lints.js';
import { explainParams, explainSecrets, type ParamExplanation, type SecretExplanation } from './params.js';

export interface StageAnswer {
  readonly stage: string;
  readonly kind: StageKind;
  /** Of the stage, or where the author says nothing, of its kind. */
  readonly doc: string;
  readonly settings: readonly SettingExplanation[];
  /** What the rules say about the whole block. */
  readonly lints: readonly SettingLint[];
}

export type Answer =
  | {
      readonly about: 'setting';
      readonly stage: string;
      readonly kind: StageKind;
      readonly setting: SettingExplanation;
      /** What is in a record or a call. */
      readonly inside: readonly SettingExplanation[];
    }
  | ({ readonly about: 'stage' } & StageAnswer)
  | ({ readonly about: 'param' } & ParamExplanation)
  | ({ readonly about: 'secret' } & SecretExplanation)
  | {
      readonly about: 'pipeline';
      readonly params: readonly ParamExplanation[];
      readonly secrets: readonly SecretExplanation[];
      readonly stages: readonly StageAnswer[];
    };

/** `name` as in {@link splitName}; left out, everything. Throws a `UserError` for a name that the pipeline does not have. */
export function answerOf(file: string, name: string | undefined, pipeline: Pipeline): Answer {
  const stages = pipeline.analysis.stages.map((checked) => ({
    stage: checked.stage.name,
    kind: checked.stage.kind,
    doc: checked.stage.doc ?? schemas[checked.stage.kind].doc,
    settings: explainSettings(checked, pipeline),
    lints: lintsIn(pipeline.lints, checked.block.span),
  }));
  const params = explainParams(stages, pipeline);
  const secrets = explainSecrets(pipeline);
  if (name === undefined) return { about: 'pipeline', params, secrets, stages };
  const split = splitName(
    name,
    stages.map(({ stage }) => stage),
  );
  const found = stages.find(({ stage }) => stage === split?.stage);
  if (found === undefined || split === undefined) {
    const param = params.find((one) => one.name === name);
    if (param !== undefined) return { about: 'param', ...param };
    const secret = secrets.find((one) => one.name === name);
    if (secret !== undefined) return { about: 'secret', ...secret };
    const [first = ''] = name.split('.');
    throw new UserError(
      noSuchName(
        file,
        first,
        pipeline.analysis.stages.map(({ stage }) => stage),
        params.map((one) => one.name),
      ),
    );
  }
  if (split.path === '') return { about: 'stage', ...found };
  const setting = found.settings.find(({ path }) => path === split.path);
  if (setting === undefined)
    throw new UserError(
      noSuchSetting(file, `\`${found.stage}\``, split.path, near(split.path, found.settings)),
    );
  const inside = found.settings.filter(({ path }) => path.startsWith(`${split.path}.`));
  return { about: 'setting', stage: found.stage, kind: found.kind, setting, inside };
}

/** Where an unknown path was probably meant to lead: next to it, or to a setting that is called so elsewhere. */
function near(path: string, settings: readonly SettingExplanation[]): readonly string[] {
  const at = path.lastIndexOf('.');
  const last = path.slice(at + 1);
  const all = settings.map((setting) => setting.path);
  const elsewhere = all.filter((one) => one.endsWith(`.${last}`));
  if (elsewhere.length > 0) return elsewhere;
  const siblings = all.filter((one) => one.lastIndexOf('.') === at && one.startsWith(path.slice(0, at + 1)));
  return siblings.length > 0 ? siblings : all.filter((one) => !one.includes('.'));
}
