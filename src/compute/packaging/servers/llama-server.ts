/** https://github.com/ggml-org/llama.cpp/tree/master/tools/server: arguments of `llama-server`. */
import type { ServerFacts } from './facts.js';
import { MERGE_FIRST, MOUNT, type Server, type ServerFiles } from './server.js';

export const llamaServer: Server = {
  id: 'llama-server',
  title: "llama.cpp's server",
  port: 8081,
  describe(facts) {
    const { kind, file = '', labels } = facts;
    if (labels !== undefined) return { notes: ['It serves no classifiers.'] };
    if (kind === 'adapter') return overBase(facts);
    if (kind === 'model')
      return {
        notes: [
          'It reads GGUF files alone. Merge with `dtype = q8_0` or another of its types, and deploy that; ' +
            'or convert the folder with `convert_hf_to_gguf.py` of llama.cpp.',
        ],
      };
    return {
      command: ['llama-server', ...options(facts, file, '.'), '--host', '127.0.0.1', '--port', '8081'],
      service: {
        image: 'ghcr.io/ggml-org/llama.cpp:server',
        command: [
          ...options(facts, `${MOUNT.release}/${file}`, MOUNT.release),
          ...['--host', '0.0.0.0', '--port', '8080'],
        ],
        gpu: false,
        port: 8080,
      },
      notes: [
        '`--n-gpu-layers 999` computes on a GPU, with the image `ghcr.io/ggml-org/llama.cpp:server-cuda`.',
      ],
    };
  },
};

const options = (
  { name, contextTokens, llamaTokens = contextTokens, templateFile, template }: ServerFacts,
  file: string,
  release: string,
): readonly string[] => [
  ...['--model', file, '--alias', name, '--ctx-size', String(llamaTokens)],
  ...(template === undefined ? [] : ['--jinja']),
  ...(templateFile === undefined ? [] : ['--chat-template-file', `${release}/${templateFile}`]),
];

/** An adapter over a GGUF file of its base, which the release does not have. */
function overBase(facts: ServerFacts): ServerFiles {
  const { adapterFile, ggufBase, base } = facts;
  if (adapterFile === undefined) return { notes: [NO_FORM] };
  return {
    command: [
      'llama-server',
      ...options(facts, '$BASE', '.'),
      ...['--lora', `serve/${adapterFile}`, '--host', '127.0.0.1', '--port', '8081'],
    ],
    variables: { BASE: ggufBase ? base.folder : 'base.gguf' },
    notes: ggufBase
      ? []
      : [
          `\`BASE\` is a GGUF file of ${base.label}, which \`merge base_gguf { base = …, dtype = f16 }\` makes: \`BASE=/PATH/FILE sh serve/llama-server.sh\`.`,
        ],
  };
}

const NO_FORM = `llama.cpp has no form for this adapter. ${MERGE_FIRST.replace('bf16', 'q8_0')}`;
