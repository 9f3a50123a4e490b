/** A base in four bits that ranks share (FSDP2): the first one reads and quantises it for all. */
import { spawn } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { freePort } from '../../../src/compute/accelerate/free-port.js';
import { fixturePath, host } from '../../compute/training/fixture.js';
import { PYTHON, withPython } from '../python.js';
import { testFolders } from '../train/trained.js';
import { writeSpecification } from './specification.js';

const WORLD = 3;
const BASE = fixturePath('base');

withPython('a base in four bits on ranks that share it', () => {
  const folder = testFolders();
  const script = join(host.packageFolder, 'test', 'accelerate', 'driver', 'shared_codes.py');

  async function ofRank(rank: number, specification: string, port: number) {
    const child = spawn(PYTHON ?? '', [script, specification, BASE], {
      env: {
        ...process.env,
        ...{ PYTHONPATH: join(host.packageFolder, 'python'), HF_HUB_OFFLINE: '1', OMP_NUM_THREADS: '1' },
        ...{ RANK: String(rank), LOCAL_RANK: String(rank), WORLD_SIZE: String(WORLD) },
        ...{ MASTER_ADDR: '127.0.0.1', MASTER_PORT: String(port) },
      },
    });
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { found: out === '' ? undefined : (JSON.parse(out) as object), err };
  }

  it('has the codes and constants of one that a rank reads by itself, also where the others have no weights', async () => {
    const own = folder('codes');
    const sharding = { kind: 'fsdp', offload: false } as const;
    const { model, ...spec } = writeSpecification(own, 'qlora', { world: WORLD, sharding });
    const without = join(own, 'without.json');
    const empty = join(own, 'empty');
    cpSync(join(BASE, 'config.json'), join(empty, 'config.json'));
    writeFileSync(without, JSON.stringify({ ...spec, model: { ...model, folder: empty } }));
    const port = await freePort();
    const all = await Promise.all(
      Array.from({ length: WORLD }, (_, rank) =>
        ofRank(rank, rank === 0 ? join(own, 'spec.json') : without, port),
      ),
    );
    for (const { found, err } of all) expect(found, err).to.deep.equal({ layers: 14, same: 14 });
  });
});
