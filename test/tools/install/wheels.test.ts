import { expect } from 'chai';
import { compareReleases } from '../../../src/compute/accelerate/packages.js';
import type { UserError } from '../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { exactly, findWheel, requirementsOf } from '../../../src/tools/install/wheels.js';
import { type IndexServer, indexServer } from './index-server.js';

const METADATA = `Name: tensorflow
Requires-Dist: absl-py>=1.0.0
Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"
Requires-Dist: nvidia-nccl-cu12 (<3.0,>=2.27.7) ; extra == 'and-cuda'
Requires-Dist: tensorboard; extra == "board"
`;

describe('wheels of a package index', () => {
  const { signal } = new AbortController();
  let server: IndexServer;
  const host = () => {
    const real = nodeHost();
    return { ...real, env: (name: string) => (name === 'PIP_INDEX_URL' ? `${server.url}/` : real.env(name)) };
  };
  before(async () => {
    const content = Buffer.from('wheel');
    const names = ['12.4.9', '12.5.10', '12.5.9', '13.0.1', '12.9rc1'].flatMap((version) =>
      ['manylinux_2_27_x86_64', 'manylinux_2_27_aarch64', 'win_amd64'].map(
        (platform) => `nvidia_cublas_cu12-${version}-py3-none-${platform}.whl`,
      ),
    );
    server = await indexServer(Object.fromEntries(names.map((name) => [name, content])));
  });
  after(() => server.close());

  it('are required by the extra of another', () => {
    expect(requirementsOf(METADATA, 'and-cuda')).to.deep.equal([
      {
        project: 'nvidia-cublas-cu12',
        limits: [
          { sign: '<', version: '13.0' },
          { sign: '>=', version: '12.5.3.2' },
        ],
      },
      {
        project: 'nvidia-nccl-cu12',
        limits: [
          { sign: '<', version: '3.0' },
          { sign: '>=', version: '2.27.7' },
        ],
      },
    ]);
  });

  it('are the newest that is allowed, of this system', async () => {
    const [requirement] = requirementsOf(METADATA, 'and-cuda');
    if (requirement === undefined) throw new Error('there is one');
    const found = await findWheel(host(), requirement, signal);
    expect(found.name).to.equal('nvidia_cublas_cu12-12.5.10-py3-none-manylinux_2_27_x86_64.whl');
    expect(found.url).to.equal(`${server.url.replace('/simple', '')}/files/${found.name}`);
    expect((await findWheel(host(), exactly('nvidia-cublas-cu12', '12.4.9'), signal)).name).to.include(
      '-12.4.9-',
    );
  });

  it('come from a mirror that wants a password, which no message has', async () => {
    const url = server.url.replace('http://', 'http://me:se%20cret@');
    const real = nodeHost();
    const mirror = { ...real, env: (name: string) => (name === 'PIP_INDEX_URL' ? url : real.env(name)) };
    const found = await findWheel(mirror, exactly('nvidia-cublas-cu12', '12.4.9'), signal);
    expect(found.name).to.include('-12.4.9-');
    expect(server.authorizations.at(-1)).to.equal(`Basic ${Buffer.from('me:se cret').toString('base64')}`);
    const error: unknown = await findWheel(mirror, exactly('nvidia-cublas-cu12', '1.0'), signal).catch(
      (reason: unknown) => reason,
    );
    expect((error as UserError).message).not.to.include('cret');
    const elsewhere = await indexServer({});
    server.sendTo(elsewhere.url.replace('127.0.0.1', 'localhost'));
    await findWheel(mirror, exactly('nvidia-cublas-cu12', '12.4.9'), signal).catch(() => undefined);
    server.sendTo(undefined);
    await elsewhere.close();
    expect(elsewhere.authorizations).to.deep.equal([undefined]);
  });

  it('are numbers between dots', () => {
    expect(compareReleases('1.10', '1.9')).to.be.above(0);
    expect(compareReleases('1.2', '1.2.0')).to.equal(0);
    expect(compareReleases('1.2', '1.2.1')).to.be.below(0);
  });

  it('that are not listed are told by name', async () => {
    const error: unknown = await findWheel(host(), exactly('nvidia-cublas-cu12', '11.0'), signal).catch(
      (reason: unknown) => reason,
    );
    expect((error as UserError).diagnostic).to.include({
      code: 'FTP0918',
      message: `${server.url}/nvidia-cublas-cu12/ lists no wheel of \`nvidia-cublas-cu12==11.0\` for Linux on x64`,
    });
  });
});
