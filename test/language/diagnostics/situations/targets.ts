import {
  makeCommit,
  refuse,
  TOKEN,
  type Trouble,
  writableHub,
} from '../../../pipeline/hub/publish/writable-hub.js';
import {
  fakeOllama,
  type Trouble as ModelTrouble,
  refuse as refuseModel,
} from '../../../pipeline/ollama/fake-ollama.js';
import type { Situation, Situations } from './types.js';

/** A Hub to publish to, in trouble; pages call it by the name of the real one. */
const hubIn =
  (trouble: Trouble): Situation =>
  async ({ later }) => {
    const hub = await writableHub();
    later(() => hub.close());
    hub.trouble = trouble;
    return {
      env: { HF_ENDPOINT: hub.endpoint, HF_TOKEN: TOKEN },
      names: { [hub.endpoint]: 'https://huggingface.co' },
    };
  };

/** The listing of a commit has one file less than was sent. */
const losing: Situation = async ({ later }) => {
  const hub = await writableHub();
  later(() => hub.close());
  hub.trouble = ({ name }) => {
    if (!/\/revision\/[0-9a-f]{40}/.test(name)) return false;
    const commits = hub.repositories.get('org/legal')?.branches.get('main') ?? [];
    const { id, title, files } = hub.head('org/legal');
    const left = new Map([...files].filter(([file]) => file !== 'config.json'));
    commits.splice(-1, 1, { ...makeCommit(title, left, ''), id });
    return false;
  };
  return {
    env: { HF_ENDPOINT: hub.endpoint, HF_TOKEN: TOKEN },
    names: { [hub.endpoint]: 'https://huggingface.co' },
  };
};

/** An Ollama in trouble; pages call it by its usual address. */
const ollamaIn =
  (trouble: ModelTrouble, answer = 'Yes.'): Situation =>
  async ({ later }) => {
    const ollama = await fakeOllama();
    later(() => ollama.close());
    Object.assign(ollama, { trouble, answer });
    return { env: { OLLAMA_HOST: ollama.endpoint }, names: { [ollama.endpoint]: 'http://127.0.0.1:11434' } };
  };

const gone: Situation = async () => {
  const ollama = await fakeOllama();
  await ollama.close();
  const { endpoint } = ollama;
  return {
    env: { OLLAMA_HOST: endpoint },
    names: { [endpoint]: 'http://127.0.0.1:11434', [new URL(endpoint).host]: '127.0.0.1:11434' },
  };
};

export const TARGETS: Situations = {
  FTP2133: hubIn(
    ({ name }, response) =>
      /create/.test(name) &&
      refuse(response, 403, '', 'You don\'t have the rights to create a model under the namespace "org"'),
  ),
  FTP2134: hubIn(
    ({ name }, response) =>
      /batch/.test(name) && refuse(response, 403, '', 'Private repository storage limit reached'),
  ),
  FTP2135: hubIn(
    ({ name }, response) => /commit/.test(name) && refuse(response, 400, '', 'Invalid metadata in README.md'),
  ),
  FTP2136: losing,
  FTP2140: gone,
  FTP2141: ollamaIn(() => false),
  FTP2142: ollamaIn(
    (call, response) => call === 'POST /api/create' && refuseModel(response, 500, 'no space left on device'),
  ),
  FTP2143: async (ground) => {
    const ollama = await fakeOllama();
    ground.later(() => ollama.close());
    ollama.trouble = (call) => {
      const made = ollama.models.get('legal:latest');
      if (call === 'POST /api/show' && made !== undefined)
        ollama.models.set('legal:latest', { ...made, template: '{{ .Prompt }}' });
      return false;
    };
    return { env: { OLLAMA_HOST: ollama.endpoint }, names: { [ollama.endpoint]: 'http://127.0.0.1:11434' } };
  },
  FTP2144: ollamaIn(() => false, ' '),
};
