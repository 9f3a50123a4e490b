/** What a release is to a server of models, read from its own files. */
import type { Host } from '../../../language/host/host.js';
import type { AdapterConfig } from '../../models/adapters/config.js';
import { labelsOf } from '../../models/adapters/whole.js';
import { type NewTokens, readNewTokens } from '../../models/added-tokens.js';
import { type AnyModel, openAnyModel } from '../../models/any-model.js';
import {
  CHAT_TEMPLATE,
  compileChatTemplate,
  readStyle,
  type SpecialTokens,
} from '../../models/chat-template/index.js';
import { type RowPrompt, readTrainingPrompt, systemOf } from '../../models/training-prompt.js';
import type { ChatTemplate } from '../../models/types.js';
import { openAdapter } from '../adapters.js';
import { exactContext } from '../gguf/index.js';

/** The model under an adapter, or the model itself. */
interface ServedBase {
  /** Absolute: a folder in Hugging Face layout or a GGUF file. */
  readonly folder: string;
  /** For people. */
  readonly label: string;
  /** Name on the Hub and commit, where it came from there. */
  readonly hub?: { readonly id: string; readonly commit: string };
}

export interface ServerFacts {
  /** What clients call the model. */
  readonly name: string;
  readonly kind: 'model' | 'adapter' | 'gguf';
  /** The GGUF file in the release. */
  readonly file?: string;
  readonly base: ServedBase;
  /** Whether the base is one GGUF file. */
  readonly ggufBase: boolean;
  /** Class in transformers, such as `LlamaForCausalLM`. */
  readonly architecture?: string;
  /** Tokens of a prompt and its answer together, at most. */
  readonly contextTokens: number;
  /** Tokens up to which llama.cpp computes what was evaluated, where these are fewer. */
  readonly llamaTokens?: number;
  /** As the weights are stored; `undefined` where they are quantised. */
  readonly dtype?: 'float32' | 'float16' | 'bfloat16';
  readonly template?: ChatTemplate;
  /** File in the release that has the template; `undefined` where it is the base's or in a tokenizer's config. */
  readonly templateFile?: string;
  readonly prompt?: RowPrompt;
  /** The system prompt that every row had. */
  readonly system?: string;
  /** Texts that end an answer. */
  readonly stop: readonly string[];
  /** Those that are no end to the model itself: each request has to name them. */
  readonly stopToSend: readonly string[];
  /** `bos_token` and the like. */
  readonly special: SpecialTokens;
  readonly adapter?: AdapterConfig;
  /** The adapter as a GGUF file in `serve/`, where llama.cpp has a form for it. */
  readonly adapterFile?: string;
  readonly labels?: readonly string[];
  /** Tokens that the base of an adapter gets, and its files do not have. */
  readonly addedTokens?: NewTokens;
}

interface FactsRequest {
  readonly name: string;
  /** Absolute folder whose files are released. */
  readonly folder: string;
  readonly base: ServedBase;
}

/** Throws a `ModelError` if the folder holds no model and no adapter. */
export async function readServerFacts(
  host: Host,
  { name, folder, base }: FactsRequest,
): Promise<ServerFacts> {
  const isAdapter = host.stat(`${folder}/adapter_config.json`) !== undefined;
  const file = host.list(folder).find((each) => each.endsWith('.gguf'));
  const isFile = !isAdapter && host.stat(`${folder}/config.json`) === undefined && file !== undefined;
  const at = isAdapter ? base.folder : isFile ? `${folder}/${file}` : folder;
  const model = openAnyModel(host, at);
  const json = model.configJson();
  const dtype = String(json['dtype'] ?? json['torch_dtype'] ?? '');
  const isQuantised = isFile || at.endsWith('.gguf') || json['quantization_config'] != null;
  const adapter = isAdapter ? openAdapter(host, folder).config : undefined;
  const [architecture] = Array.isArray(json['architectures']) ? json['architectures'] : [];
  const prompt = readTrainingPrompt(host, folder);
  const style = readStyle(host, folder);
  const special = model.specialTokens();
  const exact = model.known && exactContext(model.known.config);
  return {
    name: name.replace(/[^\w.-]+/g, '-'),
    kind: isAdapter ? 'adapter' : isFile ? 'gguf' : 'model',
    ...(isFile && { file }),
    base,
    ggufBase: base.folder.endsWith('.gguf'),
    ...(typeof architecture === 'string' && { architecture }),
    contextTokens: model.facts.maxPositions,
    ...(exact !== undefined && { llamaTokens: exact.tokens }),
    ...(!isQuantised && isFloat(dtype) && { dtype }),
    template: style === undefined ? model.template() : compileChatTemplate(style, special, CHAT_TEMPLATE),
    ...(style !== undefined && { templateFile: CHAT_TEMPLATE }),
    ...(prompt && { prompt, system: systemOf(prompt) }),
    ...(await stopsOf(model, prompt)),
    special,
    adapter,
    labels: labelsOf(adapter) ?? model.facts.labels,
    ...(isAdapter && { addedTokens: readNewTokens(host, folder) }),
  };
}

const isFloat = (dtype: string): dtype is 'float32' | 'float16' | 'bfloat16' =>
  /^(?:float32|float16|bfloat16)$/.test(dtype);

/** Texts that end an answer, as training says, or as the model does. */
async function stopsOf(
  model: AnyModel,
  prompt: RowPrompt | undefined,
): Promise<Pick<ServerFacts, 'stop' | 'stopToSend'>> {
  const tokenizer = await model.tokenizer();
  const own = model.facts.eosTokenIds.flatMap((id) => tokenizer.tokenOf(id) ?? []);
  const stop = prompt?.stop ?? own;
  return { stop, stopToSend: stop.filter((text) => !own.includes(text)) };
}
