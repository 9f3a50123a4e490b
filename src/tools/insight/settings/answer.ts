/** What a name of a pipeline refers to: a setting, a stage with all its settings, or a parameter. */

import { valueText } from '../../../language/check/value-text.js';
import { noSuchSetting } from '../../../language/diagnostics/catalogue/insight.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { StageKind } from '../../../language/ir/program.js';
import { schemas } from '../../../language/schemas/stages/index.js';
import { spanText } from '../../../language/source/text.js';
import type { Expression, Matrix, Param } from '../../../language/syntax/ast.js';
import { noSuchName, splitName } from './address.js';
import { explainSettings, type Pipeline, type SettingExplanation } from './explain.js';
import {
  type FilePlace,
  givenBy,
  lintsIn,
  type ParamSource,
  placeOf,
  type SettingLint,
} from './setting-places.js';

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

export type PipelineAnswer = Extract<Answer, { readonly about: 'pipeline' }>;

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

export interface ParamExplanation {
  readonly name: string;
  readonly doc: string | null;
  /** `Int(1..64)` */
  readonly type: string;
  /** As a pipeline would have it; of a matrix, its values. */
  readonly text: string;
  readonly default: string | null;
  readonly from: ParamSource;
  /** As it was given, where it was. */
  readonly given: string | null;
  readonly at: FilePlace | undefined;
  /** Settings that follow from it: `adapter.optimizer.rate`. */
  readonly usedBy: readonly string[];
}

export interface SecretExplanation {
  readonly name: string;
  readonly doc: string | null;
  /** The environment variable that holds it; its content is shown nowhere. */
  readonly env: string;
  readonly at: FilePlace | undefined;
}

function explainParams(
  stages: readonly { readonly stage: string; readonly settings: readonly SettingExplanation[] }[],
  pipeline: Pipeline,
): readonly ParamExplanation[] {
  const { analysis, sources, params } = pipeline;
  const { tree, source } = analysis.main;
  const usedBy = (name: string): readonly string[] =>
    stages.flatMap(({ stage, settings }) => {
      const paths = settings
        .filter(({ setBy }) => setBy.params?.some((param) => param.name === name))
        .map(({ path }) => path);
      // Of a call and its argument, the argument says more.
      return paths
        .filter((path) => !paths.some((other) => other.startsWith(`${path}.`)))
        .map((path) => `${stage}.${path}`);
    });
  const one = (declaration: Param | Matrix, isMatrix: boolean): ParamExplanation => {
    const { name, type, range, value, doc } = declaration;
    const text = value === undefined ? null : spanText(source, value.span);
    const symbol = analysis.context.scope.own.get(name.text);
    const constant = symbol?.kind === 'param' ? symbol.constant() : undefined;
    const given = givenBy(name.text, params);
    return {
      name: name.text,
      doc: doc ?? null,
      type: `${type.text}${range === undefined ? '' : spanText(source, range.span)}`,
      text:
        given !== undefined
          ? (params[name.text] ?? '')
          : constant === undefined || symbol?.kind !== 'param'
            ? (text ?? '')
            : valueText(constant.value, symbol.type),
      default: text,
      from: given?.from ?? (isMatrix ? 'matrix' : 'default'),
      given: given?.given ?? null,
      at: placeOf(name.span, sources),
      usedBy: usedBy(name.text),
    };
  };
  return [
    ...tree.params.map((declaration) => one(declaration, false)),
    ...tree.matrices.map((declaration) => one(declaration, true)),
  ];
}

const explainSecrets = ({ analysis, sources }: Pipeline): readonly SecretExplanation[] =>
  analysis.main.tree.secrets.map(({ name, value, doc }) => ({
    name: name.text,
    doc: doc ?? null,
    env: envIn(value),
    at: placeOf(name.span, sources),
  }));

function envIn(value: Expression): string {
  const first = value.kind === 'call' ? value.args[0]?.value : undefined;
  return first?.kind === 'string' ? first.value : '';
}
