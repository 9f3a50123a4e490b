import { COMMIT, tinyModel } from '../../../pipeline/hub/folders.js';
import {
  type FakeHub,
  type FakeRepository,
  fakeHub,
  sendBytes,
  type Trouble,
} from '../../../pipeline/hub/server.js';
import { NOBODY } from '../surroundings.js';
import type { Situation, Situations } from './types.js';

/** A Hub with these repositories; pages call it by the name of the real one. */
const hubWith =
  (repository: FakeRepository, change: (hub: FakeHub) => void = () => {}): Situation =>
  async ({ later }) => {
    const hub = await fakeHub(repository);
    later(() => hub.close());
    change(hub);
    return { env: { HF_ENDPOINT: hub.endpoint }, names: { [hub.endpoint]: 'https://huggingface.co' } };
  };

const inTrouble = (trouble: Trouble): Situation =>
  hubWith(tinyModel(), (hub) => {
    hub.trouble = trouble;
  });

const withFiles = (files: Readonly<Record<string, Buffer>>): Situation => hubWith(tinyModel({ files }));

const { 'model.safetensors': _weights, ...pickled } = tinyModel().files;

const ROWS: FakeRepository = {
  kind: 'datasets',
  id: 'tiny/rows',
  commit: COMMIT,
  files: {
    'data/train-large.jsonl': Buffer.from(
      '{"instruction":"What is MIT?","output":"A licence."}\n'.repeat(1500),
    ),
  },
};

export const HUB: Situations = {
  FTP0529: hubWith(tinyModel()),
  FTP0621: hubWith(ROWS),
  FTP0908: hubWith(ROWS),
  FTP1405: () => ({
    names: { [NOBODY]: 'https://huggingface.co', [new URL(NOBODY).host]: 'huggingface.co' },
  }),
  FTP1406: hubWith(ROWS),
  FTP1407: hubWith(tinyModel({ token: 'hf_secret' })),
  FTP1408: hubWith(tinyModel()),
  FTP1409: inTrouble((_, response) => response.writeHead(200).end('<html>').headersSent),
  FTP1410: withFiles({ ...tinyModel().files, '../config.json': Buffer.from('{}') }),
  FTP1411: inTrouble((request, response) => {
    if (!/resolve.*config\.json/.test(request.url ?? '')) return false;
    const text = (tinyModel().files['config.json'] ?? '').toString();
    sendBytes(request, response, Buffer.from(text.replace('llama', 'LLAMA')), {});
    return true;
  }),
  FTP1412: withFiles(pickled),
  FTP1413: hubWith(tinyModel()),
  FTP1415: hubWith(tinyModel()),
  FTP1416: hubWith(tinyModel()),
  FTP1417: inTrouble((_, response) => response.writeHead(429, { 'retry-after': '3600' }).end().headersSent),
};
