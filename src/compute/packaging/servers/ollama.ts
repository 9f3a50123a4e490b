/** https://docs.ollama.com/import: what Ollama makes models from. */
import { namesOuter } from '../../../language/schemas/stages/train.js';
import type { ServerFacts } from './facts.js';
import { modelfile, ollamaModel } from './modelfile.js';
import { baseIn, MERGE_FIRST, type Server } from './server.js';

/** Classes of safetensors that `ollama create` converts, of those that are trained here. */
const CONVERTED: ReadonlySet<string> = new Set([
  'LlamaForCausalLM',
  'MistralForCausalLM',
  'MixtralForCausalLM',
  'GemmaForCausalLM',
  'Gemma2ForCausalLM',
  'Gemma3ForCausalLM',
  'Phi3ForCausalLM',
  'Qwen2ForCausalLM',
]);

/** Of which it converts LoRA adapters. */
const ADAPTED: ReadonlySet<string> = new Set(['LlamaForCausalLM', 'Gemma2ForCausalLM']);

export const ollama: Server = {
  id: 'ollama',
  title: 'Ollama',
  port: 11434,
  describe(facts) {
    const refusal = ollamaRefusal(facts);
    if (refusal !== undefined) return { notes: [Object.values(refusal).join(' ')] };
    const model = ollamaModel(facts);
    const isAdapter = facts.kind === 'adapter';
    const from = isAdapter ? baseFolder(facts) : facts.kind === 'gguf' ? `../${facts.file}` : '..';
    return {
      command: ['ollama', 'create', facts.name, '-f', 'serve/Modelfile'],
      // the base of an adapter is not in the container
      ...(!isAdapter && {
        service: {
          image: 'ollama/ollama:0.12.6',
          command: ['serve'],
          state: '/root/.ollama',
          gpu: false,
          port: 11434,
        },
      }),
      notes: [
        ...(isAdapter ? [] : [inContainer(facts.name)]),
        ...(isAdapter && facts.base.hub !== undefined
          ? [`The Modelfile names the base \`${from}\`: a folder that holds ${facts.base.hub.id}.`]
          : []),
        ...model.notes,
      ],
      files: { Modelfile: modelfile(model, from, isAdapter ? adapterIn(facts) : undefined) },
    };
  },
};

const inContainer = (name: string): string =>
  `There, the model is made by \`docker compose -f serve/compose.yaml exec ollama ollama create ${name} -f /release/serve/Modelfile\`.`;

/** Relative to the folder of the Modelfile. */
const adapterIn = ({ adapterFile }: ServerFacts): string =>
  adapterFile === undefined ? '..' : `./${adapterFile}`;

const baseFolder = (facts: ServerFacts): string =>
  facts.base.hub === undefined ? facts.base.folder : `./${baseIn(facts, '').split('/').at(-1)}`;

/** Why Ollama can't make a model of a release, in a sentence, and what helps, in another. */
export interface OllamaRefusal {
  readonly why: string;
  readonly help?: string;
}

/** `undefined` where it can. */
export function ollamaRefusal({
  kind,
  adapter,
  adapterFile,
  addedTokens,
  ggufBase,
  architecture,
  labels,
}: ServerFacts): OllamaRefusal | undefined {
  if (labels !== undefined) return { why: 'Ollama serves no classifiers.' };
  if (kind === 'gguf') return undefined;
  const name = architecture ?? 'such model';
  if (kind === 'model')
    return CONVERTED.has(name)
      ? undefined
      : { why: `Ollama converts no ${name}.`, help: 'Merge with `dtype = q8_0`, and deploy that.' };
  const help = MERGE_FIRST.replace('bf16', 'q8_0');
  if (adapter?.kind !== 'lora')
    return { why: 'Ollama takes LoRA adapters alone, and this is another kind.', help };
  // a GGUF file has all that llama.cpp needs to know
  if (adapterFile !== undefined && (ggufBase || CONVERTED.has(name))) return undefined;
  if (!ADAPTED.has(name))
    return {
      why: `Ollama converts adapters of Llama and Gemma 2 alone, and this one is over ${name}.`,
      help,
    };
  const lost = [
    ...(adapter.dora === true ? ['DoRA'] : []),
    ...(adapter.rslora === true ? ['rsLoRA’s scale'] : []),
    ...(adapter.targets.some(namesOuter) ? ['factors over embedding or head'] : []),
    ...(adapter.bias === undefined ? [] : ['trained biases']),
    ...(adapter.modulesToSave === undefined ? [] : ['modules that were trained whole']),
    ...(addedTokens === undefined ? [] : ['tokens that its base lacks']),
    ...(adapter.alphaPattern === undefined ? [] : ['an alpha for each layer']),
    ...(Number.isInteger(adapter.alpha) ? [] : ['an alpha that is no whole number']),
  ];
  return lost.length === 0 ? undefined : { why: `Ollama takes no adapter with ${lost.join(' and ')}.`, help };
}
