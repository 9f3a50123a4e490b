/** The server as a process: what is on its standard output, how it ends, and what it leaves. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { leaveOut } from '../../helpers/leave-out.js';
import { FILES, PIPELINE, startIn } from './workspace.js';

const MAIN = fileURLToPath(new URL('../../../bin/main.js', import.meta.url));

const message = (body: object): string => framed(JSON.stringify({ jsonrpc: '2.0', ...body }));
const framed = (text: string): string => `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;

const initialize = (processId: number | null): string =>
  message({ id: 1, method: 'initialize', params: { processId, rootUri: null, capabilities: {} } });
const GOODBYE = message({ id: 2, method: 'shutdown' }) + message({ method: 'exit' });

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** What becomes of a server that is told this and no more; `leave`: by an editor that is gone after the first answer. */
async function told(words: string, leave = false, more: readonly string[] = []): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, 'language-server', '--stdio', ...more]);
  let [out, err] = ['', ''];
  child.stdout.on('data', (data) => {
    out += data;
    if (leave) child.stdin.end();
  });
  child.stderr.on('data', (data) => {
    err += data;
  });
  child.stdin.write(words);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out, err };
}

/** The bodies on standard output; throws where anything else stands there. */
function bodies(out: string): { readonly id?: number; readonly error?: object }[] {
  const found = [];
  for (let rest = Buffer.from(out); rest.length > 0; ) {
    const head = /^Content-Length: (\d+)\r\n\r\n/.exec(rest.toString('latin1'));
    if (head === null) throw new Error(`no message: ${rest.toString().slice(0, 80)}`);
    const [start, length] = [head[0].length, Number(head[1])];
    found.push(JSON.parse(rest.subarray(start, start + length).toString()));
    rest = rest.subarray(start + length);
  }
  return found;
}

describe('language server: process', () => {
  it('answers everything before an exit that comes in the same breath', async () => {
    const { code, out, err } = await told(initialize(process.pid) + GOODBYE);
    expect(bodies(out).map(({ id }) => id)).to.deep.equal([1, 2]);
    expect([code, err]).to.deep.equal([0, '']);
  });

  it('ends with 1 where the editor leaves without a goodbye', async () => {
    expect((await told(initialize(process.pid) + message({ method: 'exit' }))).code).to.equal(1);
    const { code, out, err } = await told(initialize(process.pid), true);
    expect(bodies(out)).to.have.length(1);
    expect([code, err]).to.deep.equal([1, '']);
  });

  it('ends when the process of the editor does', async () => {
    const editor = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => editor.on('exit', resolve));
    const [first, second] = await Promise.all([
      told(initialize(editor.pid ?? null)),
      told('', false, [`--clientProcessId=${editor.pid}`]),
    ]);
    expect([first.code, second.code]).to.deep.equal([1, 1]);
  });

  it('says on standard error what it cannot read, and goes on', async () => {
    const { code, out, err } = await told(framed('{') + initialize(process.pid) + GOODBYE);
    expect(bodies(out).map(({ id }) => id)).to.deep.equal([1, 2]);
    expect(code).to.equal(0);
    expect(err).to.match(/^a message from the editor cannot be read: /);
  });

  it('takes the planning process with it, however it is killed', async function () {
    if (process.platform === 'win32') leaveOut(this, 'it needs signals');
    const { client, folder } = await startIn(FILES, { options: { plan: true } });
    await client.open(folder.uri('legal.ftp'), PIPELINE);
    const [planner] = await eventually(() => childrenOf(client.process));
    client.kill();
    if (planner === undefined) throw new Error('nothing plans');
    await eventually(() => (isAlive(planner) ? [] : [planner]));
    folder.remove();
  });
});

async function eventually(look: () => readonly number[]): Promise<readonly number[]> {
  for (;;) {
    const found = look();
    if (found.length > 0) return found;
    await sleep(50);
  }
}

const childrenOf = ({ pid }: ChildProcess): readonly number[] =>
  execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([child, parent]) => (child !== undefined && parent === pid ? [child] : []));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
