import {
  makeCommit,
  refuse,
  TOKEN,
  type Trouble,
  writableHub,
} from '../../../pipeline/hub/publish/writable-hub.js';
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
};
