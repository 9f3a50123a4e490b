import { isAbsolute, join, relative, resolve } from 'node:path';
import * as v from 'valibot';
import { newTokensOf } from '../../../compute/models/added-tokens.js';
import { readTrainingPrompt } from '../../../compute/models/training-prompt.js';
import {
  ANSWERS,
  combinedDigest,
  digestFile,
  digestFiles,
  filesBelow,
  type ReleaseStage,
  textDigest,
} from '../../../compute/packaging/manifest.js';
import type { Host } from '../../../language/host/host.js';
import { tryJsonFile } from '../../../language/host/json.js';
import { ftpcVersion } from '../../../language/host/version.js';
import { STAGE_RECORD } from '../../../language/ir/outputs.js';
import type { Reference, Stage } from '../../../language/ir/program.js';
import { isCall, isReference } from '../../../language/ir/values.js';
import type { ManifestDraft } from '../../deploy/publish.js';
import { outputOf, resolveEvaluated } from '../eval/evaluated-model.js';
import { modelFiles } from '../open-models.js';
import { type NamedAdapter, type ResolvedModel, resolveAdapter, resolveModel } from '../resolve-models.js';
import type { Artefact, StageContext } from '../stage.js';

/** All that a release's manifest says about where it came from. `releases` is the folder of the releases. */
export function manifestDraft(
  model: Reference,
  kind: ManifestDraft['kind'],
  releases: string,
  context: StageContext,
): ManifestDraft {
  const { stage, host } = context;
  const lineage = lineageOf(model, context);
  const { folder } = outputOf(model, context);
  const inputs = Object.values(context.inputs);
  const stages = inputs.map((artefact) => stageDigest(artefact, host));
  const isRows = ({ kind: each }: ReleaseStage): boolean => each === 'data' || each === 'format';
  return {
    kind,
    ftpc: ftpcVersion(host),
    base: baseOf(lineage, kind, releases, context),
    prompt: readTrainingPrompt(host, folder),
    adapter: lineage.adapter === undefined ? null : adapterDigest(lineage.adapter, host),
    stages: stages.filter((each) => !isRows(each)),
    data: stages.filter(isRows),
    settings: Object.fromEntries(
      [...inputs.map((artefact) => artefact.stage), stage].map(({ name, settings }) => [name, settings]),
    ),
    metrics: byStage(inputs, ({ result }) => result.metrics),
    baseline: byStage(inputs, ({ result }) => result.baseline ?? {}),
    ...answersOf(inputs, ({ settings }) => isReleased(settings, model, lineage, context), host),
  };
}

function baseOf(
  { base, storage }: Lineage,
  kind: ManifestDraft['kind'],
  releases: string,
  { host }: StageContext,
): ManifestDraft['base'] {
  const files = Object.fromEntries(
    modelFiles(host, base).map(({ name, path }) => [name, digestFile(host, path)]),
  );
  return {
    label: base.label,
    folder: placeOf(base.folder, join(releases, '0001'), host.cwd),
    storage: kind === 'adapter' ? storage : 'stored',
    ...(base.seed === undefined ? {} : { seed: base.seed }),
    ...newTokensOf(base),
    sha256: textDigest(`${combinedDigest(files)} ${base.seed ?? ''}${tokensOf(base)}\n`),
    files,
  };
}

const tokensOf = ({ specialTokens, plainTokens }: ResolvedModel): string =>
  [specialTokens, plainTokens && { added: plainTokens }]
    .map((tokens) => (tokens === undefined ? '' : ` ${JSON.stringify(tokens)}`))
    .join('');

/** Relative where base and releases are in one working directory, so that it can be moved as a whole. */
function placeOf(folder: string, release: string, cwd: string): string {
  const below = (path: string): boolean => {
    const way = relative(cwd, path);
    return !way.startsWith('..') && !isAbsolute(way);
  };
  return below(folder) && below(release) ? relative(resolve(release), resolve(folder)) : folder;
}

function byStage(
  inputs: readonly Artefact[],
  values: (artefact: Artefact) => Readonly<Record<string, number>>,
): Readonly<Record<string, Readonly<Record<string, number>>>> {
  return Object.fromEntries(
    inputs
      .map((artefact) => [artefact.stage.name, values(artefact)] as const)
      .filter(([, each]) => Object.keys(each).length > 0),
  );
}

const ANSWERED = v.object({ answers: v.optional(ANSWERS) });

/** What the evaluations of these stages' models say of answers. */
function answersOf(
  inputs: readonly Artefact[],
  isOfRelease: (evaluation: Stage) => boolean,
  host: Host,
): Pick<ManifestDraft, 'answers'> {
  const found = inputs.flatMap(({ stage, path, result }) => {
    const { report } = result.outputs;
    if (stage.kind !== 'eval' || report === undefined || !isOfRelease(stage)) return [];
    const answers = tryJsonFile(ANSWERED, host, join(path, report))?.answers;
    return answers === undefined ? [] : [[stage.name, answers] as const];
  });
  return found.length === 0 ? {} : { answers: Object.fromEntries(found) };
}

/** Of the files as the store wrote them down, or of the files themselves. */
function stageDigest({ stage, path, key }: Artefact, host: Host): ReleaseStage {
  return {
    stage: stage.name,
    kind: stage.kind,
    key,
    sha256: recorded(host, path) ?? folderDigest(host, path),
  };
}

const recorded = (host: Host, path: string): string | undefined => {
  const record = tryJsonFile(STAGE_RECORD, host, join(path, 'stage.json'));
  return record && combinedDigest(record.files);
};

function folderDigest(host: Host, folder: string): string {
  return combinedDigest(digestFiles(host, folder, filesBelow(host, folder)));
}

/** An adapter of a stage. */
interface TrainedAdapter {
  readonly artefact: Artefact;
  readonly folder: string;
}

/** An adapter of a folder, and the merge that took it. */
interface MergedFolder {
  readonly merge: Artefact;
  readonly named: NamedAdapter;
}

/** Whether an evaluation is of what is released, or of the adapter that is in it. */
function isReleased(
  evaluation: Stage['settings'],
  released: Reference,
  { adapter }: Lineage,
  context: StageContext,
): boolean {
  const { model, adapter: over } = evaluation;
  if (isCall(over)) {
    const folder = resolveAdapter(over, context)?.folder;
    return adapter !== undefined && 'named' in adapter && adapter.named.folder === folder;
  }
  const trainer = adapter !== undefined && 'artefact' in adapter ? adapter.artefact.stage.name : undefined;
  return isReference(model) && (model.stage === released.stage || model.stage === trainer);
}

function adapterDigest(
  adapter: TrainedAdapter | MergedFolder,
  host: Host,
): NonNullable<ManifestDraft['adapter']> {
  if ('artefact' in adapter)
    return { stage: adapter.artefact.stage.name, sha256: folderDigest(host, adapter.folder) };
  const { merge, named } = adapter;
  return { folder: named.label, sha256: textDigest(mergedFiles(merge, named, host)) };
}

/** `sha256sum` of the files as they were merged, which the folder may no longer have: the key of the merge was made of them. */
function mergedFiles({ path }: Artefact, { label }: NamedAdapter, host: Host): string {
  const parts = tryJsonFile(STAGE_RECORD, host, join(path, 'stage.json'))?.parts ?? {};
  const within = `file:${label}/`;
  return Object.entries(parts)
    .filter(([name]) => name.startsWith(within))
    .map(([name, digest]) => `${digest}  ${name.slice(within.length)}\n`)
    .sort()
    .join('');
}

/** Where a model came from: back over merges and trainings to the one that no stage made. */
interface Lineage {
  readonly base: ResolvedModel;
  /** The adapter that is in it, the last one where there are several. */
  readonly adapter?: TrainedAdapter | MergedFolder;
  /** How the base was held while the adapter was trained. */
  readonly storage: 'stored' | 'nf4';
}

/** Follows a model back to the base that no stage made. */
export function lineageOf(reference: Reference, context: StageContext): Lineage {
  const { artefact, folder } = outputOf(reference, context);
  const isAdapter = context.host.stat(join(folder, 'adapter_config.json')) !== undefined;
  const adapter = isAdapter ? { artefact, folder } : adapterIn(artefact, context);
  const { storage } = resolveEvaluated(reference, context);
  const base = artefact.stage.settings['base'];
  if (isCall(base)) return { base: resolveModel(base, context), adapter, storage };
  if (!isReference(base)) return { base: { folder, label: reference.stage }, adapter, storage };
  const before = lineageOf(base, context);
  return { ...before, adapter: adapter ?? before.adapter, storage };
}

/** The adapter that a merge stage took. */
function adapterIn(merge: Artefact, context: StageContext): Lineage['adapter'] {
  const { adapter } = merge.stage.settings;
  if (isReference(adapter)) return outputOf(adapter, context);
  const named = isCall(adapter) ? resolveAdapter(adapter, context) : undefined;
  return named && { merge, named };
}
