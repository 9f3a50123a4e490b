/** https://docs.vllm.ai: arguments of `vllm serve` 0.33. */

import { namesOuter } from '../../../language/schemas/stages/train.js';
import type { LoraConfig } from '../../models/adapters/config.js';
import type { ServerFacts } from './facts.js';
import { baseIn, MERGE_FIRST, MOUNT, type Server, type ServerFiles } from './server.js';

/** Largest ranks that `--max-lora-rank` takes. */
const RANKS = [8, 16, 32, 64, 128, 256, 320, 512] as const;

export const vllm: Server = {
  id: 'vllm',
  title: 'vLLM',
  port: 8000,
  describe(facts) {
    const refusal = refusalOf(facts);
    if (refusal !== undefined) return { notes: [refusal] };
    const isAdapter = facts.adapter !== undefined;
    const entrypoint = ['vllm', 'serve'];
    const model = isAdapter ? '$BASE' : '.';
    const inContainer = isAdapter ? baseIn(facts, MOUNT.base) : MOUNT.release;
    return {
      command: [...entrypoint, model, ...options(facts, '.')],
      ...(isAdapter && { variables: { BASE: baseIn(facts, facts.base.folder) } }),
      service: {
        image: 'vllm/vllm-openai:v0.33.0',
        entrypoint,
        command: [inContainer, ...options(facts, MOUNT.release)],
        gpu: true,
        port: 8000,
      },
      notes: notesOf(facts),
    };
  },
};

function options(facts: ServerFacts, release: string): readonly string[] {
  const { name, adapter, base, contextTokens, dtype, templateFile, labels } = facts;
  const common = [
    ...(dtype === undefined ? [] : ['--dtype', dtype]),
    '--max-model-len',
    String(contextTokens),
    ...(templateFile === undefined ? [] : ['--chat-template', `${release}/${templateFile}`]),
  ];
  if (labels !== undefined) return ['--served-model-name', name, '--runner', 'pooling', ...common];
  if (adapter?.kind !== 'lora') return ['--served-model-name', name, ...common];
  return [
    ...(base.hub === undefined ? [] : ['--revision', base.hub.commit]),
    ...common,
    '--enable-lora',
    '--max-lora-rank',
    String(rankFor(adapter)),
    '--lora-modules',
    `${name}=${release}`,
  ];
}

const largestRank = ({ rank, rankPattern = {} }: LoraConfig): number =>
  Math.max(rank, ...Object.values(rankPattern));

const rankFor = (adapter: LoraConfig): number | undefined =>
  RANKS.find((rank) => rank >= largestRank(adapter));

function refusalOf({ kind, adapter, addedTokens, labels }: ServerFacts): string | undefined {
  if (kind === 'gguf') return 'vLLM reads no GGUF file. Deploy a merge with `dtype = bf16` for it.';
  if (adapter === undefined) return undefined;
  if (labels !== undefined) return `vLLM takes no head over labels from an adapter. ${MERGE_FIRST}`;
  if (adapter.kind !== 'lora')
    return `vLLM takes LoRA adapters alone, and this is another kind. ${MERGE_FIRST}`;
  if (adapter.dora === true) return `vLLM has no DoRA. ${MERGE_FIRST}`;
  if (adapter.targets.some(namesOuter)) return `vLLM takes no factors over embedding or head. ${MERGE_FIRST}`;
  if (adapter.bias !== undefined) return `vLLM takes no trained biases. ${MERGE_FIRST}`;
  if (adapter.modulesToSave !== undefined)
    return `vLLM takes no module that was trained whole (${adapter.modulesToSave.join(', ')}). ${MERGE_FIRST}`;
  if (addedTokens !== undefined) return `vLLM gives its base no further tokens. ${MERGE_FIRST}`;
  if (rankFor(adapter) === undefined)
    return `vLLM takes ranks of up to ${RANKS.at(-1)}, and this adapter has ${largestRank(adapter)}. ${MERGE_FIRST}`;
  return undefined;
}

const notesOf = ({ adapter, labels }: ServerFacts): ServerFiles['notes'] => [
  ...(adapter === undefined
    ? []
    : ['The base answers under its own name, the release under the name after `--lora-modules`.']),
  ...(labels === undefined ? [] : ['It gives labels at `/classify`.']),
];
