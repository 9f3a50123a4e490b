/** https://huggingface.co/docs/text-generation-inference: arguments of its launcher, version 3. */
import { namesOuter } from '../../../language/schemas/stages/train.js';
import type { ServerFacts } from './facts.js';
import { baseIn, MERGE_FIRST, MOUNT, type Server } from './server.js';

export const tgi: Server = {
  id: 'tgi',
  title: 'Text Generation Inference',
  port: 8080,
  describe(facts) {
    const refusal = refusalOf(facts);
    if (refusal !== undefined) return { notes: [refusal] };
    const isAdapter = facts.adapter !== undefined;
    const { template, templateFile, special } = facts;
    const config = { ...special, chat_template: template?.source };
    return {
      ...(templateFile !== undefined && {
        files: { 'tokenizer_config.json': `${JSON.stringify(config, null, 2)}\n` },
      }),
      command: [
        'text-generation-launcher',
        ...options(facts, isAdapter ? '$BASE' : '.', '$PWD'),
        '--port',
        '8080',
      ],
      ...(isAdapter && { variables: { BASE: baseIn(facts, facts.base.folder) } }),
      service: {
        image: 'ghcr.io/huggingface/text-generation-inference:3.3.5',
        command: options(facts, isAdapter ? baseIn(facts, MOUNT.base) : MOUNT.release, MOUNT.release),
        gpu: true,
        port: 80,
      },
      notes: isAdapter
        ? [
            `A request names the adapter: \`"model": "${facts.name}"\`, or \`"parameters": {"adapter_id": "${facts.name}"}\` at \`/generate\`.`,
          ]
        : [],
    };
  },
};

function options(facts: ServerFacts, model: string, release: string): readonly string[] {
  const { name, adapter, base, contextTokens, dtype, templateFile } = facts;
  return [
    '--model-id',
    model,
    ...(adapter !== undefined && base.hub !== undefined ? ['--revision', base.hub.commit] : []),
    ...(dtype === undefined || dtype === 'float32' ? [] : ['--dtype', dtype]),
    '--max-input-tokens',
    String(contextTokens - 1),
    '--max-total-tokens',
    String(contextTokens),
    ...(adapter === undefined ? [] : ['--lora-adapters', `${name}=${release}`]),
    ...(templateFile === undefined
      ? []
      : ['--tokenizer-config-path', `${release}/serve/tokenizer_config.json`]),
  ];
}

function refusalOf({ kind, adapter, addedTokens, labels }: ServerFacts): string | undefined {
  if (kind === 'gguf') return 'It reads no GGUF file here. Deploy a merge with `dtype = bf16` for it.';
  if (labels !== undefined) return 'It serves no classifiers.';
  if (adapter === undefined) return undefined;
  if (adapter.kind !== 'lora')
    return `It takes LoRA adapters alone, and this is another kind. ${MERGE_FIRST}`;
  if (adapter.dora === true) return `It has no DoRA. ${MERGE_FIRST}`;
  if (adapter.targets.some(namesOuter)) return `It takes no factors over embedding or head. ${MERGE_FIRST}`;
  if (adapter.bias !== undefined) return `It takes no trained biases. ${MERGE_FIRST}`;
  if (adapter.modulesToSave !== undefined) return `It takes no module that was trained whole. ${MERGE_FIRST}`;
  if (addedTokens !== undefined) return `It gives its base no further tokens. ${MERGE_FIRST}`;
  if (adapter.rankPattern !== undefined || adapter.alphaPattern !== undefined)
    return `It takes one rank and one alpha for all layers. ${MERGE_FIRST}`;
  return undefined;
}
