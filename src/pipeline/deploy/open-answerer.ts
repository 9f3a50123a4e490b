import { dirname, join, resolve } from 'node:path';
import type { AccelerateEngine } from '../../compute/accelerate/engine.js';
import { modelSpec } from '../../compute/accelerate/model-spec.js';
import { startWorker, type WorkerOptions } from '../../compute/accelerate/worker.js';
import { type Answerer, type AnswererParts, answerer } from '../../compute/evaluation/chat.js';
import { type Classifier, classifier } from '../../compute/evaluation/classify.js';
import { evaluationDecoder } from '../../compute/evaluation/evaluation-decoder.js';
import { classifierAsked, noClassifier } from '../../compute/evaluation/evaluation-diagnostics.js';
import { decoderModel } from '../../compute/evaluation/language-model.js';
import { unreadHead } from '../../compute/models/adapters/whole.js';
import {
  hasNewTokens,
  type NewTokens,
  newTokensOf,
  readNewTokens,
  withNewTokens,
} from '../../compute/models/added-tokens.js';
import { type AnyModel, openAnyModel } from '../../compute/models/any-model.js';
import { CHAT_TEMPLATE, compileChatTemplate, readStyle } from '../../compute/models/chat-template/index.js';
import { ggufAt } from '../../compute/models/config-at.js';
import type { Decoder } from '../../compute/models/decoder/index.js';
import type { ModelFiles } from '../../compute/models/load.js';
import { openModelAt, untrained } from '../../compute/models/open.js';
import { readTrainingPrompt } from '../../compute/models/training-prompt.js';
import { type ChatTemplate, ModelError } from '../../compute/models/types.js';
import { materialisedWithin } from '../../compute/models/weights/load.js';
import { type PlannedCodes, plannedCodes, takesCodes } from '../../compute/models/weights/stored-codes.js';
import { baseNameOf, readAdapterFacts } from '../../compute/packaging/adapter-facts.js';
import { readAdapter } from '../../compute/packaging/adapters.js';
import { checkAdapter } from '../../compute/packaging/check-base.js';
import { MANIFEST, readManifest } from '../../compute/packaging/manifest.js';
import { checkSealed, verifying } from '../../compute/packaging/sealed.js';
import { chooseRuntime } from '../../compute/tensor/runtimes/choice.js';
import { openRuntime, type RuntimeOptions } from '../../compute/tensor/runtimes/index.js';
import type { Host } from '../../language/host/host.js';
import { firstDamage } from '../../language/host/seal-damage.js';
import type { SealedFiles } from '../../language/host/sealed-file.js';
import type { RuntimeName } from '../../language/ir/runtimes.js';
import { noAdapter, noBase, otherBase } from './release-diagnostics.js';
import { CURRENT } from './releases.js';

/** What is opened. The tokens that its base lacks are, by default, those of a release's manifest or of the adapter. */
export interface OpenAnswererOptions extends NewTokens {
  /** Absolute: a model folder or GGUF file, an adapter folder, a release, or a folder of releases (its current one answers). */
  readonly folder: string;
  /** The model under the adapter in `folder`. Default: where a release's manifest says, else where PEFT's config does. */
  readonly base?: string;
  /** How the base is held. Default: as a release's manifest says, else as it is stored. */
  readonly storage?: 'stored' | 'f32' | 'nf4';
  /** The base's weights are fresh ones of this seed. */
  readonly seed?: number;
  /**
   * Weights that are held as they are stored may take this many bytes as float32 instead: no token then waits for them
   * to be decoded. Default: none.
   */
  readonly float32Bytes?: number;
  /** Answers are asked for one at a time: what those can be computed over as it is stored stays so, whatever `float32Bytes` is. */
  readonly oneAtATime?: boolean;
  /** The chat template that writes questions; `model`: the base's own. Default: that of training, else the base's own. */
  readonly template?: NamedTemplate | 'model';
  /** The weights stay in their files, which are read again for every token. */
  readonly paged?: boolean;
  /** Default: the one that `auto` chooses. */
  readonly runtime?: RuntimeName;
  /** Threads of the runtime. Default: one per core. */
  readonly threads?: number;
  /** Bytes that tensors may take on a device. Default: as the machine's variable says. */
  readonly deviceMemory?: number;
  /** What computes instead of the tensor runtime. Weights that are made are always computed with here. */
  readonly engine?: WorkerOptions['engine'] & Pick<AccelerateEngine, 'attention'>;
  /** Told what slows the answers down. */
  readonly warn?: RuntimeOptions['warn'];
}

/** A Jinja template, and what errors call it. */
interface NamedTemplate {
  readonly source: string;
  readonly path: string;
}

export interface AnswerSource extends NewTokens {
  /** A folder in Hugging Face layout, or a GGUF file. */
  readonly base: string;
  readonly adapter?: string;
  readonly storage: 'stored' | 'f32' | 'nf4';
  readonly seed?: number;
  /** The base's files as a release's manifest has them. */
  readonly files?: SealedFiles;
}

/** Opens what can answer. Throws a `ModelError` or a `UserError` if the folder holds no such thing. */
export async function openAnswerer(host: Host, options: OpenAnswererOptions): Promise<Answerer> {
  const model = await openAny(host, options);
  if (!('labels' in model)) return model;
  await model.release();
  throw classifierAsked(model.label);
}

/** Opens what gives texts labels. Throws a `ModelError` or a `UserError` if the folder holds no such thing. */
export async function openClassifier(host: Host, options: OpenAnswererOptions): Promise<Classifier> {
  const model = await openAny(host, options);
  if ('labels' in model) return model;
  await model.release();
  throw noClassifier(model.label);
}

/** Opens a model, whether it answers or gives labels. */
export async function openAny(host: Host, options: OpenAnswererOptions): Promise<Answerer | Classifier> {
  const parts = await openParts(host, options);
  return parts.model.facts.labels === undefined ? answerer(parts) : classifier(parts);
}

/** What answers or gives labels, with the decoder where it is of this process. */
interface OpenedParts extends AnswererParts {
  readonly decoder?: Decoder;
  /** Bytes of its weights in memory, and the codes that answers are multiplied by besides. */
  readonly weightBytes?: number;
  readonly codes?: PlannedCodes | undefined;
}

/** Opens what there is of a model to ask. Throws as {@link openAnswerer} does. */
export async function openParts(plain: Host, options: OpenAnswererOptions): Promise<OpenedParts> {
  const { host, ...source } = checkedSource(plain, options);
  const { base, adapter: adapterFolder, storage, seed } = source;
  if (options.engine !== undefined && seed === undefined && !hasNewTokens(source))
    return openInWorker(host, source, { ...options, engine: options.engine });
  const found = openModelAt(host, base);
  const model = withNewTokens(seed === undefined ? found : untrained(found, seed), source);
  const adapter = adapterFolder === undefined ? undefined : readAdapter(host, adapterFolder);
  if (adapter !== undefined) checkAdapter(adapter, model.config, adapter.path);
  const without = unreadHead(model.config, adapter?.config);
  const runtime = await openRuntime(host, options.runtime ?? chooseRuntime(host), options);
  const paged = options.paged === true && storage === 'stored';
  const hasCodes =
    runtime.compileFixed !== undefined && !paged && storage !== 'nf4' && takesCodes(adapter?.config);
  const codes = hasCodes ? plannedCodes(model.config, model.weightFormat) : undefined;
  const float32Bytes = options.oneAtATime === true && codes !== undefined ? 0 : (options.float32Bytes ?? 0);
  const form = paged ? 'paged' : materialisedWithin(model.config, storage, float32Bytes, without);
  const weights = model.loadWeights(form, { without });
  const decoder = await evaluationDecoder({
    runtime,
    ...{ config: model.config, weights, adapter, storedSteps: true },
  });
  const parts = { label: options.folder, model: decoderModel(decoder), tokenizer: await model.tokenizer() };
  const opened = { ...parts, decoder, weightBytes: weights.residentBytes, codes };
  if (parts.model.facts.labels !== undefined) return opened;
  const template = templateOf(host, model, adapterFolder, options.template);
  return { ...opened, template, training: readTrainingPrompt(host, adapterFolder ?? base) };
}

/** Throws as {@link openParts} does. */
async function openInWorker(
  host: Host,
  { base, adapter, storage }: AnswerSource,
  options: OpenAnswererOptions & Required<Pick<OpenAnswererOptions, 'engine'>>,
): Promise<OpenedParts> {
  const { folder: label, engine, threads } = options;
  const model = openAnyModel(host, base);
  const known = adapter === undefined ? undefined : readAdapterFacts(host, adapter, model.known?.config);
  const labels = known?.labels ?? model.facts.labels;
  const tokenizer = await model.tokenizer();
  const template = labels === undefined ? templateOf(host, model, adapter, options.template) : undefined;
  const worker = startWorker(host, { engine, ...(threads !== undefined && { threads }) });
  try {
    const opened = await worker.open({
      label,
      spec: modelSpec(host, base, {
        ...{ storage, attention: engine.attention, ...(labels && { labels }) },
        dtype: storage !== 'f32' && engine.device === 'cuda' && isHalf(model) ? 'bfloat16' : 'float32',
      }),
      facts: { ...model.facts, ...(labels && { labels }) },
      ...(adapter !== undefined && { adapter }),
    });
    const parts = { label, model: { ...opened, release: () => worker.close() }, tokenizer };
    if (labels !== undefined) return parts;
    return { ...parts, template, training: readTrainingPrompt(host, adapter ?? base) };
  } catch (error) {
    await worker.close();
    throw error;
  }
}

/** Whether a model's weights are stored in 16 bits. */
function isHalf(model: AnyModel): boolean {
  const { dtype, torch_dtype: older } = model.configJson();
  return /^b?float16$/.test(String(dtype ?? older));
}

/**
 * What there is to open, unchanged since it was published; `host` verifies what is read of it. Throws as
 * {@link openAnswerer} does.
 */
export function checkedSource(
  plain: Host,
  options: OpenAnswererOptions,
): AnswerSource & { readonly host: Host } {
  const source = sourceOf(plain, options);
  const { base, adapter, files } = source;
  if (adapter !== undefined) checkSealed(plain, base);
  if (files !== undefined) checkBaseFiles(plain, base, files);
  return { ...source, host: verifying(plain) };
}

/** The template that was asked for, or the one that an adapter was trained with, where it is not its base's. */
export function templateOf(
  host: Host,
  model: ModelFiles,
  adapter: string | undefined,
  named: OpenAnswererOptions['template'],
): ChatTemplate | undefined {
  const compiled = ({ source, path }: NamedTemplate): ChatTemplate =>
    compileChatTemplate(source, model.specialTokens(), path);
  if (named !== undefined && named !== 'model') return compiled(named);
  const style = adapter === undefined || named === 'model' ? undefined : readStyle(host, adapter);
  return style === undefined || adapter === undefined
    ? model.template()
    : compiled({ source: style, path: join(adapter, CHAT_TEMPLATE) });
}

function sourceOf(host: Host, options: OpenAnswererOptions): AnswerSource {
  const { folder, base, storage, seed } = options;
  if (host.stat(folder) === undefined)
    throw new ModelError(
      'model_not_found',
      folder,
      'There is no such file or folder.',
      'Check the path; a release is there after `ftpc run` has published it.',
    );
  const current = join(folder, CURRENT);
  if (!isModel(host, folder) && !isAdapter(host, folder) && host.stat(current)?.isFolder === true)
    return sourceOf(host, { ...options, folder: current });
  checkSealed(host, folder);
  if (!isAdapter(host, folder)) {
    if (base !== undefined) throw noAdapter(folder);
    return { base: folder, storage: storage ?? 'stored', seed, ...newTokensOf(options) };
  }
  const under = baseUnder(host, folder, base);
  return {
    base: under.folder,
    adapter: folder,
    storage: storage ?? under.storage ?? 'stored',
    seed: seed ?? under.seed,
    ...newTokensOf([options, under].find(hasNewTokens) ?? readNewTokens(host, folder) ?? {}),
    files: under.files,
  };
}

/** A folder in Hugging Face layout, or a GGUF file or its folder. */
const isModel = (host: Host, path: string): boolean =>
  host.stat(join(path, 'config.json')) !== undefined ||
  (host.stat(path) !== undefined && ggufAt(host, path) !== undefined);
const isAdapter = (host: Host, folder: string): boolean =>
  host.stat(join(folder, 'adapter_config.json')) !== undefined;

interface AnswerBase extends NewTokens {
  readonly folder: string;
  readonly storage?: 'stored' | 'nf4';
  readonly seed?: number;
  readonly files?: SealedFiles;
}

/** The base of an adapter folder. One that the caller names is still held as the release's manifest says. */
function baseUnder(host: Host, adapter: string, named: string | undefined): AnswerBase {
  const manifest = host.stat(join(adapter, MANIFEST)) === undefined ? undefined : readManifest(host, adapter);
  const known = manifest === undefined || 'damage' in manifest ? undefined : manifest.base;
  if (named !== undefined) {
    const folder = modelCalled(host, named, [host.cwd]);
    if (folder === undefined) throw noBase(adapter, named);
    return { ...known, folder, files: undefined };
  }
  if (manifest !== undefined && 'damage' in manifest) throw noBase(adapter, manifest.damage);
  if (known !== undefined) {
    const folder = resolve(adapter, known.folder);
    if (!isModel(host, folder)) throw noBase(adapter, known.label);
    return { ...known, folder };
  }
  const name = baseNameOf(host, adapter);
  const folder = name === null ? undefined : modelCalled(host, name, [host.cwd, adapter]);
  if (folder === undefined) throw noBase(adapter, name);
  return { folder };
}

/** Throws a `UserError` if the base is not the one that a release was made over. */
function checkBaseFiles(host: Host, base: string, files: SealedFiles): void {
  // a GGUF file is its own folder's
  const folder = host.stat(base)?.isFolder === true ? base : dirname(base);
  const damage = firstDamage(host, folder, files, { look: 'changed' });
  if (damage !== undefined) throw otherBase(base, damage);
}

/** A folder from one of the places, or the starter where no folder has its name. */
function modelCalled(host: Host, name: string, from: readonly string[]): string | undefined {
  const places = from.map((place) => resolve(place, name));
  if (name === 'starter') places.push(join(host.packageFolder, 'stdlib', 'models', 'starter'));
  return places.find((place) => isModel(host, place));
}
