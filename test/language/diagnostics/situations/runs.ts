import { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf as identityOfRuntime } from '../../../../src/compute/tensor/runtimes/index.js';
import { FileLayout } from '../../../../src/language/formatter/declarations.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { identityOf } from '../../../../src/language/host/process-identity.js';
import { runtimeName } from '../../../../src/pipeline/planner/keys.js';
import { speedKey } from '../../../../src/pipeline/planner/speed.js';
import { until } from '../../../helpers/until.js';
import { preloaded, replace } from './faults.js';
import type { Ground, Situation, Situations } from './types.js';

/** Variables with which the processes of stages run this first. */
const inStages = (code: string): Readonly<Record<string, string>> =>
  preloaded(`if (/child\\.js$/.test(process.argv[1])) { ${code} }`);

const stagesThat =
  (code: string): Situation =>
  () => ({ env: inStages(code) });

/** The processes of stages begin that many milliseconds late. */
const late = (ms: number): string => `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${ms});`;

/** Code after which a function of the file system is another one. */
const withDisk = (name: string, body: string): string => `
  const fs = process.getBuiltinModule('fs');
  const real = fs.${name};
  fs.${name} = (...args) => { ${body}; return real(...args); };
  process.getBuiltinModule('module').syncBuiltinESMExports();`;

/** Kills the stage at work some milliseconds after that holds; only in the first command. */
function killing({ folder }: Ground, ms: number, when: () => boolean = () => true): () => Promise<void> {
  let killed = false;
  return async () => {
    if (killed) return;
    killed = true;
    const note = join(folder, '.ftp/lock.child');
    await until(() => existsSync(note) && when());
    await sleep(ms);
    process.kill(JSON.parse(readFileSync(note, 'utf8')).pid, 'SIGKILL');
  };
}

const checkpoints = (folder: string): number => {
  const work = join(folder, '.ftp/work');
  const [key] = existsSync(work) ? readdirSync(work) : [];
  return key === undefined ? 0 : readdirSync(join(work, key)).filter((name) => /^[^.]/.test(name)).length;
};

/** This process has a run in the folder. */
function locked({ write }: Ground): undefined {
  const since = '2026-01-01T12:00:00.000Z';
  const holder = { ...identityOf(process.pid), host: 'box', namespace: 'pid:[1]', user: 'ana', since };
  write('.ftp/lock', JSON.stringify({ ...holder, runId: '20260101-120000-abcd' }));
  return undefined;
}

export const RUNS: Situations = {
  FTP0747: stagesThat(
    withDisk('copyFileSync', "if (/config.json$/.test(args[0])) fs.appendFileSync(args[0], ' ')"),
  ),
  FTP0801: stagesThat(
    withDisk(
      'writeSync',
      "throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' })",
    ),
  ),
  FTP0803: (ground) => ({ meanwhile: killing(ground, 0, () => checkpoints(ground.folder) > 1) }),
  FTP0804: locked,
  FTP0805: stagesThat(
    withDisk(
      'openSync',
      "if (/rows.jsonl$/.test(args[0]) && args[1] === 'r') fs.appendFileSync(args[0], '\\n')",
    ),
  ),
  FTP0806: ({ folder }) => ({
    env: inStages(late(4000)),
    meanwhile: async () => {
      const claims = join(folder, '.ftp/claims');
      const claim = () => (existsSync(claims) ? readdirSync(claims) : []).find((name) => name.length === 64);
      await until(() => claim() !== undefined);
      const path = join(claims, claim() ?? '');
      const other = { ...JSON.parse(readFileSync(path, 'utf8')), host: 'elsewhere', mark: 'other' };
      rmSync(path);
      writeFileSync(path, JSON.stringify(other));
    },
  }),
  // What a stage holds is looked at four times a second.
  FTP0811: (ground) => ({ env: inStages(late(3000)), meanwhile: killing(ground, 600) }),
  FTP0812: stagesThat(
    "process.stderr.write('illegal instruction\\n', () => process.kill(process.pid, 'SIGILL'))",
  ),
  FTP0813: stagesThat(
    withDisk(
      'openSync',
      "if (/rows.jsonl$/.test(args[0])) throw new RangeError('Array buffer allocation failed')",
    ),
  ),
  FTP0814: (ground) => {
    const internal = ChildProcess.prototype as ChildProcess & { spawn(options: object): unknown };
    const { spawn } = internal;
    replace(ground, internal, 'spawn', function (this: ChildProcess, options) {
      if (!JSON.stringify(options).includes('/run/child.js')) return spawn.call(this, options);
      const refused = Object.assign(new Error('spawn node EAGAIN'), { code: 'EAGAIN' });
      return process.nextTick(() => this.emit('error', refused));
    });
    return undefined;
  },
  FTP0815: stagesThat(
    withDisk(
      'writeSync',
      "throw Object.assign(new Error('ENFILE: file table overflow, write'), { code: 'ENFILE', syscall: 'write' })",
    ),
  ),
  FTP0816: (ground) => ({
    env: inStages(`
      const { existsSync } = process.getBuiltinModule('fs');
      setInterval(() => { if (existsSync('leave')) { ${late(6000)} } }, 1).unref();`),
    meanwhile: async () => {
      await until(() => checkpoints(ground.folder) > 1);
      ground.write('leave', '');
    },
  }),
  FTP0817: ({ folder, write }) => {
    const host = nodeHost(folder);
    const key = speedKey(host, host.machine().cores, runtimeName(identityOfRuntime(host, 'onnx')));
    write('.ftp/speed.json', JSON.stringify({ [key]: { flopsPerSecond: 1e7 } }));
    return undefined;
  },
  FTP0823: stagesThat(late(2500)),
  FTP1702: locked,
  FTP1704: locked,
  FTP0899: stagesThat(
    withDisk('openSync', "if (/rows.jsonl$/.test(args[0])) throw new TypeError('x is not a function')"),
  ),
  FTP1102: (ground) => {
    replace(ground, FileLayout.prototype, 'text', () => 'edition 2026\n');
    return undefined;
  },
};
