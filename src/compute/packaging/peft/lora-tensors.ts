/** The tensors of low-rank factors and of what is trained whole, by their names in a file of PEFT. */
import { branchFor, isNamed } from '../../models/adapters/branches.js';
import type { HeadConfig, LoraConfig } from '../../models/adapters/config.js';
import { modulesToSave } from '../../models/adapters/whole.js';
import { SCORE } from '../../models/architectures/index.js';
import { adaptedParameters } from '../../models/experts.js';
import type { TensorEntry } from '../../models/safetensors/header.js';
import type { SafetensorsFile } from '../../models/safetensors/read.js';
import type { ModelError } from '../../models/types.js';
import { invalid, OTHERWISE, type PeftContents, PREFIX } from './format.js';

/** Before its release 5, transformers called the head of GPT-NeoX so, and PEFT after it. */
const OLD_HEAD = /^embed_out(?=$|\.)/;

/** Name of a module, or of its tensor, as it is called now. */
export const withoutOldName = (name: string): string => name.replace(OLD_HEAD, 'lm_head');

/** Of the factors of a linear layer: A `[rank, inputs]`, B `[outputs, rank]`, and DoRA's magnitudes. */
const MAGNITUDE = 'lora_magnitude_vector';
const PARTS: readonly string[] = ['lora_A.weight', 'lora_B.weight', MAGNITUDE];
/** Of those of an embedding: A `[rank, vocabulary]`, B `[hidden, rank]`. */
const EMBEDDING_PARTS: readonly string[] = ['lora_embedding_A', 'lora_embedding_B'];
const NAME = /^(.+)\.(lora_A\.weight|lora_B\.weight|lora_magnitude_vector|lora_embedding_[AB])$/;

/** The weights under an embedding or a head with factors, which PEFT saves too: those of the base, which stay as they are. */
const UNDER_FACTORS = /^(.+)\.base_layer\.weight$/;

/** `targets`: names or whole paths of modules; `undefined` if only the tensors tell. */
export function openFactors(
  factors: Omit<LoraConfig, 'targets'>,
  targets: readonly string[] | undefined,
  file: SafetensorsFile,
  configPath: string,
): PeftContents {
  const { tensors, modules } = namedTensors(file, { ...factors, targets: targets ?? [] });
  if (modules.length === 0 && factors.labels === undefined)
    throw invalid(configPath, 'The adapter has no tensors.');
  const parameterOf = adaptedParameters(factors.parameters ?? [], modules);
  const layers = modules.filter((module) => !parameterOf.has(module));
  if (targets !== undefined) checkTargets(targets, layers, configPath);
  return { config: { ...factors, targets: targets ?? layers }, tensors };
}

export function openHead(config: HeadConfig, file: SafetensorsFile, configPath: string): PeftContents {
  const { tensors, modules } = namedTensors(file, config);
  checkTargets([], modules, configPath);
  return { config, tensors };
}

/** The tensors by their names without the prefix, and the modules that they belong to. */
function namedTensors(
  file: SafetensorsFile,
  config: LoraConfig | HeadConfig,
): { tensors: ReadonlyMap<string, TensorEntry>; modules: readonly string[] } {
  const tensors = new Map<string, TensorEntry>();
  const modules = new Set<string>();
  const labelled = config.labels !== undefined;
  const parts = PARTS.filter((part) => part !== MAGNITUDE || (config.kind === 'lora' && config.dora));
  const embeddings = new Set<string>();
  const ranks = config.kind === 'lora' ? ranksOf(file, config) : () => [0, false] as const;
  for (const [fullName, entry] of file.tensors) {
    const name = fullName.startsWith(PREFIX) ? withoutOldName(fullName.slice(PREFIX.length)) : '';
    const [, module, part = ''] = NAME.exec(name) ?? [];
    const whole = name.replace(/\.weight$/, '');
    if (modulesToSave(config).some((saved) => isNamed(whole, saved)) || (labelled && whole === SCORE)) {
      tensors.set(name, entry);
      continue;
    }
    if (config.kind === 'lora' && config.bias !== undefined && name.endsWith('.bias')) {
      tensors.set(name.replace(/\.base_layer(?=\.bias$)/, ''), entry);
      continue;
    }
    const [, under] = UNDER_FACTORS.exec(name) ?? [];
    if (under !== undefined && hasFactors(file, under)) continue;
    if (module === undefined) throw strayTensor(file.path, fullName, whole, modulesToSave(config));
    const [rank, isPerExpert] = ranks(module);
    const { shape } = entry;
    const ofEmbedding = EMBEDDING_PARTS.includes(part);
    if (ofEmbedding) embeddings.add(module);
    const found = shape[(ofEmbedding ? EMBEDDING_PARTS : PARTS).indexOf(part)] ?? 0;
    const isOfRank = isPerExpert ? found > 0 && found % rank === 0 : found === rank;
    const fits =
      (ofEmbedding || parts.includes(part)) &&
      (part === MAGNITUDE ? shape.length === 1 : shape.length === 2 && isOfRank);
    if (!fits)
      throw invalid(
        file.path,
        `Tensor "${fullName}" has shape [${shape.join(', ')}], which does not fit rank ${rank}.`,
      );
    modules.add(module);
    tensors.set(name, entry);
  }
  for (const module of modules)
    for (const part of embeddings.has(module) ? EMBEDDING_PARTS : parts)
      if (!tensors.has(`${module}.${part}`))
        throw invalid(file.path, `Tensor "${PREFIX}${module}.${part}" is missing.`);
  for (const saved of [...modulesToSave(config), ...(labelled ? [SCORE] : [])])
    if (![...tensors.keys()].some((name) => isNamed(name, `${saved}.weight`)))
      throw invalid(file.path, `"modules_to_save" names ${saved}, which has no tensor.`);
  return { tensors, modules: [...modules].sort() };
}

const hasFactors = (file: SafetensorsFile, module: string): boolean =>
  [PARTS[0], EMBEDDING_PARTS[0]].some((part) => file.tensors.has(`${PREFIX}${module}.${part}`));

/** Rank of the factors of a module, and whether they are those of several experts. */
function ranksOf(
  file: SafetensorsFile,
  config: LoraConfig,
): (module: string) => readonly [rank: number, isPerExpert: boolean] {
  const modules = [...file.tensors.keys()].flatMap((name) => NAME.exec(name.slice(PREFIX.length))?.[1] ?? []);
  const parameterOf = adaptedParameters(config.parameters ?? [], modules);
  return (module) => {
    const parameter = parameterOf.get(module);
    return parameter === undefined
      ? [branchFor(config, module).rank, false]
      : [branchFor(config, parameter).rank, !parameter.endsWith('.weight')];
  };
}

/** A tensor that is neither a factor nor saved whole: what was adapted or saved that is not read here. */
function strayTensor(path: string, fullName: string, whole: string, saved: readonly string[]): ModelError {
  const [, adapted] = ADAPTED.exec(whole) ?? [];
  if (adapted !== undefined)
    return invalid(path, `It adapts ${adapted}, and only linear layers and the embedding can be.`, OTHERWISE);
  // PEFT saves every module whose path ends so, be it within a name: "norm" is "input_layernorm" too
  const named = saved.find((name) => whole.endsWith(name) || `.${whole}.`.includes(`.${name}.`));
  if (named !== undefined)
    return invalid(
      path,
      `"modules_to_save" names ${named}, and only embedding and head can be brought whole.`,
      OTHERWISE,
    );
  if (!/\.\d+\./.test(whole))
    return invalid(
      path,
      `Tensor "${fullName}" is outside of the blocks, and "modules_to_save" does not name it.`,
      'Save the adapter with save_embedding_layers=False, or train with what it needs in "modules_to_save".',
    );
  return invalid(path, `Tensor "${fullName}" is not a LoRA matrix of a linear layer.`);
}

/** What is within an adapted module: its weights, which PEFT saves of an embedding and a head. */
const ADAPTED = /^(.+)\.base_layer$/;

/**
 * PEFT lists names, or whole paths after `all-linear`; one of them must end every module that has tensors. A name that no
 * layer of its base has is passed over in PEFT too; that layers which do have it have tensors, {@link checkAdapter} finds.
 */
function checkTargets(targets: readonly string[], modules: readonly string[], path: string): void {
  for (const module of modules)
    if (!targets.some((target) => isNamed(module, target)))
      throw invalid(path, `There are tensors for ${module}, which is not in "target_modules".`);
}
