import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { keepSpool, type Tracking } from '../../../src/tools/track/index.js';
import { freshFolder, ftpc } from '../cli/folders.js';

const schema = join(nodeHost().packageFolder, 'docs/schema/track.json');
const isValid = new Ajv2020({ strict: false }).compile(JSON.parse(readFileSync(schema, 'utf8')) as object);

const trackings: readonly Tracking[] = [
  { stage: 'adapter', tracker: 'tensorboard', args: { folder: 'runs' }, state: 'delivered', where: 'runs/a' },
  {
    ...{ stage: 'adapter', tracker: 'mlflow', args: { uri: 'http://127.0.0.1:9', experiment: 'e' } },
    ...{ state: 'pending', problem: 'it cannot be reached' },
  },
];

describe('ftpc track --json', () => {
  it('fits docs/schema/track.json, with and without trainings', async () => {
    const cwd = freshFolder();
    const none = await ftpc(cwd, ['track', '--json']);
    expect(none.code, none.err).to.equal(0);
    expect(isValid(JSON.parse(none.out)), JSON.stringify(isValid.errors)).to.equal(true);
    keepSpool(nodeHost(cwd), {
      ...{ version: 1, runId: '20260101-000000-0001', pipeline: 'legal.ftp' },
      ...{ trackings: [...trackings], planned: {} },
    });
    const some = JSON.parse((await ftpc(cwd, ['track', '--json'])).out);
    expect(isValid(some), JSON.stringify(isValid.errors)).to.equal(true);
    expect(some.trainings).to.have.length(2);
    expect(some.trainings.map(({ state }: { state: string }) => state)).to.deep.equal([
      'delivered',
      'pending',
    ]);
    expect(isValid({ ...some, trainings: [{ ...some.trainings[0], state: 'lost' }] })).to.equal(false);
  });
});
