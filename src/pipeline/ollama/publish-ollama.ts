/** A release as a model of Ollama: its files as blobs, then one request that makes the model of them. */
import { basename } from 'node:path';
import { askedAsTrained } from '../../compute/evaluation/asked-as-trained.js';
import type { ChatMessage } from '../../compute/models/types.js';
import { digestFile, filesBelow } from '../../compute/packaging/manifest.js';
import {
  type OllamaModel,
  ollamaModel,
  ollamaRefusal,
  SERVE,
  type ServerFacts,
} from '../../compute/packaging/servers/index.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { isJson, type Json } from '../../language/host/json.js';
import type { ElsewhereRequest, PublishedElsewhere } from '../deploy/elsewhere.js';
import { fileAt, fileOnDisk, type ReleaseFile } from '../deploy/release-file.js';
import {
  ask,
  askJson,
  errorIn,
  jsonIn,
  type OllamaAccess,
  ollamaAccess,
  posting,
  type Refused,
} from './ollama-access.js';
import { ollamaCannot, ollamaOther, ollamaRefused, ollamaSilent } from './ollama-diagnostics.js';

export const publishToOllama = (host: Host, asked: ElsewhereRequest): Promise<PublishedElsewhere> =>
  publishModel(ollamaAccess(host, asked.signal), host, asked);

/**
 * Makes the model and looks at what was made. Blobs that the server has are not sent again, so that a run after a kill
 * goes on; the model of this name is replaced in one step. Throws a `UserError`, or the signal's reason.
 */
export async function publishModel(
  access: OllamaAccess,
  host: Host,
  asked: ElsewhereRequest,
): Promise<PublishedElsewhere> {
  const { target, files, facts, digest } = asked;
  const name = String(target.args['name']);
  const refusal = ollamaRefusal(facts);
  if (refusal !== undefined) throw new UserError(ollamaCannot(name, refusal));
  const refused = (said: string) => ollamaRefused(name, said);
  const before = await digestOf(access, name, refused);
  const isAdapter = facts.kind === 'adapter';
  const own = ownFiles(files, facts);
  const base = isAdapter ? baseFiles(host, facts) : [];
  await uploadBlobs(access, refused, [...own, ...base], asked);
  const model = ollamaModel(facts);
  await create(access, name, {
    ...(isAdapter ? { files: blobsOf(base), adapters: blobsOf(own) } : { files: blobsOf(own) }),
    template: model.template,
    ...(model.system !== undefined && { system: model.system }),
    parameters: model.parameters,
  });
  await check(access, name, model);
  await smoke(access, name, model, asked);
  const version = await digestOf(access, name, (said) => ollamaOther(name, `it says: ${said}`));
  if (version === undefined) throw new UserError(ollamaOther(name, 'it does not list it'));
  const action = version === before ? 'unchanged' : 'publish';
  return { action, digest, url: `${access.endpoint}, model ${name}`, version };
}

/** What Ollama reads of a release: a GGUF file by itself, or a folder in Hugging Face layout. */
function ownFiles(
  files: readonly ReleaseFile[],
  { kind, file, adapterFile }: ServerFacts,
): readonly ReleaseFile[] {
  const single = kind === 'gguf' ? file : adapterFile && `${SERVE}/${adapterFile}`;
  if (single === undefined) return files.filter(({ name }) => isRead(name));
  return files.flatMap((each) => (each.name === single ? [{ ...each, name: basename(single) }] : []));
}

/** What Ollama reads of a folder: weights, their config and tokenizer. */
const isRead = (name: string): boolean =>
  /^[^/]+$/.test(name) &&
  (/\.(?:safetensors|gguf)$/.test(name) ||
    name === 'tokenizer.model' ||
    /^(?:adapter_)?config\.json$|^(?:generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|model\.safetensors\.index)\.json$/.test(
      name,
    ));

/** The base of an adapter, which goes to Ollama with it. */
function baseFiles(host: Host, { base: { folder }, ggufBase }: ServerFacts): readonly ReleaseFile[] {
  if (ggufBase) return [fileAt(host, basename(folder), folder)];
  return filesBelow(host, folder)
    .filter(isRead)
    .map((name) => fileOnDisk(host, folder, name, digestFile(host, `${folder}/${name}`)));
}

const blobsOf = (files: readonly ReleaseFile[]): Readonly<Record<string, string>> =>
  Object.fromEntries(files.map(({ name, sha256 }) => [name, `sha256:${sha256}`]));

async function uploadBlobs(
  access: OllamaAccess,
  refused: Refused,
  files: readonly ReleaseFile[],
  { progress }: ElsewhereRequest,
): Promise<void> {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  for (const { bytes, sha256, read } of files) {
    const path = `/api/blobs/sha256:${sha256}`;
    const before = done;
    function* body(): Iterable<Uint8Array> {
      let sent = before;
      for (const piece of read(0, bytes)) {
        yield piece;
        sent += piece.length;
        progress(sent, total);
      }
    }
    const { status } = await ask(access, refused, { path, sending: { method: 'HEAD' }, accepts: [404] });
    if (status === 404) await ask(access, refused, { path, sending: { method: 'POST', bytes, body } });
    done += bytes;
    progress(done, total);
  }
}

/** Tells what it does line by line; the last one says `success`. */
async function create(access: OllamaAccess, name: string, body: Json): Promise<void> {
  const refused = (said: string) => ollamaRefused(name, said);
  const { text } = await ask(access, refused, {
    path: '/api/create',
    sending: posting({ model: name, ...body, stream: true }),
  });
  const lines = text.trim().split('\n');
  const failure = lines.map(errorIn).find((said) => said !== undefined);
  if (failure !== undefined) throw new UserError(ollamaRefused(name, failure));
  const last = jsonIn(lines.at(-1) ?? '')?.['status'];
  if (last !== 'success')
    throw new UserError(
      ollamaRefused(name, `it ended with ${JSON.stringify(last ?? '').slice(0, 100)} instead of success`),
    );
}

/** Throws a `UserError` if the model is not what was asked for. */
async function check(access: OllamaAccess, name: string, model: OllamaModel): Promise<void> {
  const refused = (said: string) => ollamaOther(name, `it does not show it: ${said}`);
  const shown = await askJson(access, refused, '/api/show', { model: name });
  if (shown['template'] !== model.template)
    throw new UserError(ollamaOther(name, 'its template is another one'));
  if ((shown['system'] ?? '') !== (model.system ?? ''))
    throw new UserError(ollamaOther(name, 'its system prompt is another one'));
  const parameters = String(shown['parameters'] ?? '');
  const stops = Array.isArray(model.parameters['stop']) ? model.parameters['stop'] : [];
  const lost = stops.find((text) => !parameters.includes(text));
  if (lost !== undefined)
    throw new UserError(ollamaOther(name, `it does not stop at ${JSON.stringify(lost)}`));
}

/** The question of the deploy stage, if it has one. */
async function smoke(
  access: OllamaAccess,
  name: string,
  { chats }: OllamaModel,
  { draft, facts }: ElsewhereRequest,
): Promise<void> {
  if (draft.smoke === null) return;
  const { prompt } = draft.smoke;
  const refused = (said: string) => ollamaSilent(name, prompt, `Ollama says: ${said}`);
  const common = { model: name, options: { num_predict: 48 }, stream: false };
  const answer = chats
    ? await askJson(access, refused, '/api/chat', { ...common, messages: messagesOf(prompt, facts) })
    : await askJson(access, refused, '/api/generate', {
        ...common,
        raw: true,
        prompt: textOf(prompt, facts),
      });
  const message = answer['message'];
  const text = chats ? (isJson(message) ? message['content'] : undefined) : answer['response'];
  if (typeof text !== 'string' || text.trim() === '')
    throw new UserError(ollamaSilent(name, prompt, 'its answer is empty'));
}

const messagesOf = (prompt: string, { prompt: training }: ServerFacts): readonly ChatMessage[] => {
  const asked = askedAsTrained(prompt, training);
  return typeof asked === 'string' ? [{ role: 'user', content: asked }] : asked;
};

/** A prompt as training wrote it. */
const textOf = (prompt: string, facts: ServerFacts): string =>
  facts.prompt?.style === 'text'
    ? prompt
    : (facts.template?.render(messagesOf(prompt, facts), { addGenerationPrompt: true }) ?? prompt);

/** What names the content of a model; `undefined` if there is none of this name. */
async function digestOf(access: OllamaAccess, name: string, refused: Refused): Promise<string | undefined> {
  const { models } = await askJson(access, refused, '/api/tags');
  const full = name.includes(':') ? name : `${name}:latest`;
  const found = Array.isArray(models)
    ? models.find((each) => isJson(each) && each['name'] === full)
    : undefined;
  const digest = isJson(found) ? found['digest'] : undefined;
  return typeof digest === 'string' ? digest : undefined;
}
