/** The model that answers are compared with, where an objective names one. */
import { virtualTokensOf } from '../../../../compute/models/adapters/kinds.js';
import { labelsOf } from '../../../../compute/models/adapters/whole.js';
import { tokenizerText } from '../../../../compute/models/any-model.js';
import type { ModelFolder } from '../../../../compute/models/load.js';
import { otherToken } from '../../../../compute/models/tokenizer/token-ids.js';
import type { OpenedAdapter } from '../../../../compute/packaging/adapter-folder.js';
import { openAdapter } from '../../../../compute/packaging/adapters.js';
import { checkAdapter } from '../../../../compute/packaging/check-base.js';
import { readsOtherTokens, writesNothing } from '../../../../language/diagnostics/catalogue/references.js';
import { type Diagnostic, UserError } from '../../../../language/diagnostics/types.js';
import type { Host } from '../../../../language/host/host.js';
import { isJson, parseFlat } from '../../../../language/host/json.js';
import type { Call, Reference } from '../../../../language/ir/program.js';
import { isCall, isReference } from '../../../../language/ir/values.js';
import type { TrainSettings } from '../../../../language/schemas/stages/train.js';
import type { Span } from '../../../../language/source/span.js';
import { type EvaluatedModel, resolveEvaluated } from '../../eval/evaluated-model.js';
import { modelIdentity, openAnyResolved, openResolved } from '../../open-models.js';
import type { ResolvedModel } from '../../resolve-models.js';
import type { StageContext } from '../../stage.js';

export interface ReferenceModel {
  readonly named: EvaluatedModel;
  /** Its base, where it is an adapter. */
  readonly model: ModelFolder;
  readonly adapter?: OpenedAdapter;
  /** Tokens of a text at most. */
  readonly maxPositions: number;
}

/** What an objective names; nothing where the reference is the base, or there is none. */
export function referenceSetting({
  objective,
}: Pick<TrainSettings, 'objective'>): Call | Reference | undefined {
  const reference = isCall(objective) ? objective.args['reference'] : undefined;
  return isCall(reference) || isReference(reference) ? reference : undefined;
}

/** Throws a `UserError` where it cannot be compared with, or a `ModelError` where it cannot be read. */
export function referenceModel(
  settings: Pick<TrainSettings, 'objective'>,
  base: ResolvedModel,
  context: StageContext,
): ReferenceModel | undefined {
  const setting = referenceSetting(settings);
  if (setting === undefined) return undefined;
  const { host, stage } = context;
  const named = resolveEvaluated(setting, context);
  const model = openResolved(host, named.base);
  const adapter = named.adapter === undefined ? undefined : openAdapter(host, named.adapter);
  if (adapter !== undefined) checkAdapter(adapter, model.config, adapter.path);
  const labels = labelsOf(adapter?.config) ?? model.config.labels;
  if (labels !== undefined) throw new UserError(writesNothing(stage.span, named.label));
  const problem = otherTokens(host, base, { ...named.base, label: named.label }, stage.span);
  if (problem !== undefined) throw new UserError(problem);
  const maxPositions = model.config.maxPositions - virtualTokensOf(adapter?.config);
  return { named, model, ...(adapter && { adapter }), maxPositions };
}

/** What is wrong where a reference does not know the tokens of the base by their ids. Throws a `ModelError`. */
export function otherTokens(
  host: Host,
  base: ResolvedModel,
  reference: ResolvedModel,
  at: Span,
): Diagnostic | undefined {
  if (modelIdentity(base) === modelIdentity(reference)) return undefined;
  const [own, other] = [base, reference].map((model) => tokenizerText(openAnyResolved(host, model)));
  // rows of ids are not cut by any tokenizer
  if (own === undefined || other === undefined || own === other) return undefined;
  const [ours, theirs] = [parsed(own), parsed(other)];
  const token = isJson(ours) && isJson(theirs) ? otherToken(ours, theirs) : undefined;
  return token && readsOtherTokens(at, { reference: reference.label, base: base.label, ...token });
}

/** `undefined` for what is no JSON, which whoever reads the tokenizer says. */
function parsed(text: string): unknown {
  try {
    return parseFlat(text);
  } catch {
    return undefined;
  }
}
