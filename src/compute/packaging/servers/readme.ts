/** `serve/README.md` of a release: how each server is started, and how it is asked. */
import type { ServerFacts } from './facts.js';
import type { Server, ServerFiles } from './server.js';

export interface DescribedServer extends ServerFiles {
  readonly server: Server;
}

export function serveReadme(facts: ServerFacts, servers: readonly DescribedServer[]): string {
  return `# Serving ${facts.name}

${intro(facts)}

${servers.map((each) => section(facts, each)).join('\n')}
## How it is asked

${asking(facts)}`;
}

function intro({ kind, base, dtype, contextTokens, adapter }: ServerFacts): string {
  const what = {
    model: `A whole model in Hugging Face layout, made from ${base.label}.`,
    adapter: `An adapter over ${base.label}${base.hub === undefined ? '' : ` at commit ${base.hub.commit}`}.`,
    gguf: `A GGUF file, made from ${base.label}.`,
  }[kind];
  const lora = adapter?.kind === 'lora' ? ` LoRA of rank ${adapter.rank}, alpha ${adapter.alpha}.` : '';
  return `${what}${lora} Prompt and answer have ${contextTokens} tokens together at most${
    dtype === undefined ? '' : `; weights are ${dtype}`
  }. Commands start in the folder of the release.`;
}

function section({ name }: ServerFacts, { server, command, service, notes, files }: DescribedServer): string {
  const { id, title, port } = server;
  const start =
    command === undefined
      ? ''
      : id === 'ollama'
        ? `\n    ${command.join(' ')}\n    ollama run ${name}\n`
        : `\n    sh serve/${id}.sh\n`;
  const compose =
    service === undefined
      ? ''
      : `\nIn a container: \`docker compose -f serve/compose.yaml --profile ${id} up\`, then http://127.0.0.1:${port}.\n`;
  const said = notes.map((note) => `\n${note}\n`).join('');
  const more =
    files?.['Modelfile'] === undefined
      ? ''
      : '\nThe Modelfile has the template, the stop texts and the system prompt of training.\n';
  return `## ${title}\n${start}${compose}${more}${said}`;
}

function asking({ name, prompt, system, stop, stopToSend, labels, template }: ServerFacts): string {
  if (labels !== undefined) return `It gives a text one of the labels ${labels.join(', ')}.\n`;
  const isText = prompt?.style === 'text' || template === undefined;
  const body = isText
    ? { model: name, prompt: 'The beginning of a text' }
    : {
        model: name,
        messages: [
          ...(system === undefined ? [] : [{ role: 'system', content: system }]),
          { role: 'user', content: 'A question' },
        ],
      };
  const request = { ...body, temperature: 0, ...(stopToSend.length > 0 && { stop: stopToSend }) };
  const path = isText ? '/v1/completions' : '/v1/chat/completions';
  return `As in training${system === undefined ? '' : ', with its system prompt'}, at \`${path}\`:

\`\`\`json
${JSON.stringify(request, null, 2)}
\`\`\`

${stopsOf(stop, stopToSend)}
`;
}

const list = (texts: readonly string[]): string =>
  texts.map((text) => `\`${JSON.stringify(text)}\``).join(', ');

const stopsOf = (stop: readonly string[], toSend: readonly string[]): string =>
  stop.length === 0
    ? 'No text ends an answer but the most tokens that a request allows (`max_tokens`).'
    : toSend.length === 0
      ? `An answer ends at ${list(stop)}, which is the model's own end: servers stop there by themselves.`
      : `An answer ends at ${list(stop)}. Each request has to name ${list(toSend)}, which is no end to the model itself.`;
