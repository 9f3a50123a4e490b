import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { scratch } from '../../../compute/evaluation/tiny.js';
import { FTPC } from '../../run/processes.js';
import { TOKEN, type WritableHub, writableHub } from './writable-hub.js';

const PIPELINE = `edition 2026

secret hub_token = env("HF_TOKEN")

merge fused { base = starter(), dtype = f32 }

deploy there {
  model = fused
  target = hub("org/legal")
}
`;

const PART = 1_000_000;

describe('a run that publishes to the Hub', () => {
  const place = scratch();
  let hub: WritableHub;
  before(async () => {
    hub = await writableHub();
    hub.part = PART;
    writeFileSync(join(place.path, 'p.ftp'), PIPELINE);
  });
  after(async () => {
    await hub.close();
    place.remove();
  });

  const run = () => {
    const env = { ...process.env, HF_ENDPOINT: hub.endpoint, HF_TOKEN: TOKEN, NO_COLOR: '1' };
    return spawn(process.execPath, [FTPC, 'run', 'p.ftp'], {
      cwd: place.path,
      env,
      detached: true,
      stdio: 'ignore',
    });
  };
  const parts = (): readonly string[] =>
    hub.calls.flatMap(({ name }) => /^storage PUT .*\/(\d+)\?/.exec(name)?.[1] ?? []);

  it('is killed in the middle of a file, and the next one goes on there @long', async () => {
    const killed = run();
    // the third part never gets its answer
    hub.trouble = ({ name }) => {
      if (!/^storage PUT .*\/3\?/.test(name)) return false;
      process.kill(-(killed.pid ?? 0), 'SIGKILL');
      return true;
    };
    await once(killed, 'exit');
    expect(parts()).to.deep.equal(['1', '2', '3']);
    expect(hub.head('org/legal').title).to.equal('initial commit');

    hub.trouble = () => false;
    const before = parts().length;
    const [code] = (await once(run(), 'exit')) as [number];
    expect(code).to.equal(0);
    const bytes = hub.head('org/legal').files.get('model.safetensors')?.bytes.length ?? 0;
    const count = Math.ceil(bytes / PART);
    expect(count).to.be.greaterThan(5);
    expect(parts().slice(before)).to.deep.equal(
      Array.from({ length: count - 2 }, (_, index) => `${index + 3}`),
    );
    expect(hub.repositories.get('org/legal')?.branches.get('main')).to.have.length(2);
  });
});
