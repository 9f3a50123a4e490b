/** What a deploy stage publishes, and where: as far as it is known before anything is made. */
import type { AdapterConfig } from '../../compute/models/adapters/config.js';
import { SHARD_BYTES } from '../../compute/packaging/merge/shards.js';
import { percentText } from '../../language/diagnostics/make.js';
import type { Call } from '../../language/ir/program.js';
import type { DeploySettings } from '../../language/schemas/stages/deploy.js';
import { coverageOf } from '../stages/train/coverage.js';
import type { Publication, PublicationPlace } from './plan-json.js';
import { bytes, count } from './quantities.js';
import { type PlannedModel, weightBytes } from './stage-models.js';

/** Manifest, model card, `config.json` and what training asked with. */
const OWN_FILES = 4;
/** `serve/`: a text, a compose file, and a file per server. */
const SERVE_FILES = 6;
/** The config, the weights, the card and the manifest; the system prompt and template of training. */
const ADAPTER_FILES = 6;

/** `adapter`: what is published, over a base that stays where it is. */
export function publicationOf(
  { target, canary }: Pick<DeploySettings, 'target' | 'canary'>,
  model: PlannedModel,
  adapter: AdapterConfig | undefined,
): Publication {
  return {
    ...placeOf(target),
    ...(canary === undefined ? {} : { canary }),
    ...(adapter === undefined ? ofModel(model) : ofAdapter(model, adapter)),
  };
}

type Size = Pick<Publication, 'files' | 'bytes'>;

function ofModel(model: PlannedModel): Size {
  const { root, folder, tokenizerBytes } = model;
  const weights = weightBytes(model).lora;
  const shards = Math.ceil(weights / SHARD_BYTES);
  const isGguf = root.weights !== 'file' && root.weights.format === 'gguf';
  // a GGUF file has its config and its tokenizer within
  const files = isGguf ? OWN_FILES : OWN_FILES + folder.companions().length + (shards > 1 ? shards + 1 : 1);
  return { files: files + SERVE_FILES, bytes: weights + tokenizerBytes };
}

/** In float32; one of LoRA is there as a GGUF file, too. */
function ofAdapter({ config }: PlannedModel, adapter: AdapterConfig): Size {
  const weights = 4 * coverageOf(config, adapter).trainable;
  const copies = adapter.kind === 'lora' ? 2 : 1;
  return { files: ADAPTER_FILES + SERVE_FILES + copies - 1, bytes: copies * weights };
}

/** By target. */
const PLACES: Readonly<Record<string, (args: Call['args']) => PublicationPlace>> = {
  directory: ({ path }) => ({ target: 'directory', place: String(path) }),
  hub_release: ({ repository, private: isPrivate, branch }) => ({
    target: 'hub',
    place: String(repository),
    private: isPrivate === true,
    branch: String(branch),
  }),
  ollama: ({ name }) => ({ target: 'ollama', place: String(name) }),
};

function placeOf({ call, args }: Call): PublicationPlace {
  const place = PLACES[call]?.(args);
  if (place === undefined) throw new Error(`nothing is known of the target ${call}`);
  return place;
}

const NAMES: Readonly<Record<PublicationPlace['target'], string>> = {
  directory: 'folder',
  hub: 'Hugging Face Hub',
  ollama: 'Ollama',
};

/** Where: `folder releases/legal`, `Hugging Face Hub org/legal (private, branch main)`. */
export function placeText({ target, place, private: isPrivate, branch, canary }: Publication): string {
  const more = [
    ...(isPrivate === undefined ? [] : [isPrivate ? 'private' : 'public']),
    ...(branch === undefined ? [] : [`branch ${branch}`]),
    ...(canary === undefined ? [] : [`a canary with ${percentText(canary)} of the requests`]),
  ];
  return `${NAMES[target]} ${place}${more.length === 0 ? '' : ` (${more.join(', ')})`}`;
}

/** `about 14 files, 271 MiB` */
export const sizeText = (size: Size): string => `about ${count(size.files)} files, ${bytes(size.bytes)}`;
