import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pc from 'picocolors';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { CliContext } from '../../../src/tools/cli/cli-context.js';
import { dispatch } from '../../../src/tools/cli/dispatch.js';
import { writePipeline } from '../../pipeline/run/pipelines.js';
import { ftpc } from '../../tools/cli/folders.js';
import type { Example } from './example.js';
import type { Ground, Situation, Surroundings } from './situations/types.js';
import { bareEnvironment } from './surroundings.js';

export interface Played {
  readonly code: number;
  /** Both streams, in their order. */
  readonly printed: readonly string[];
}

/**
 * Plays an example in a folder of its own and gives what each command printed. The folder has sound rows in `data`, a
 * tiny model in `model`, and where the page writes no pipeline, `pipeline.ftp` with all stages.
 */
export async function play(example: Example, situation: Situation | undefined): Promise<readonly Played[]> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ftpc-example-')));
  const undoes: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const ground: Ground = {
    folder,
    write(name, content) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    },
    later: (undo) => void undoes.unshift(undo),
  };
  const home = process.cwd();
  undoes.unshift(() => process.chdir(home));
  process.chdir(folder);
  try {
    writePipeline(folder, { steps: 2 });
    renameSync(join(folder, 'tiny.ftp'), join(folder, 'pipeline.ftp'));
    for (const [name, text] of Object.entries(example.files)) ground.write(name, text);
    const seen = (await situation?.(ground)) ?? {};
    const played: Played[] = [];
    for (const { line } of example.steps) {
      const { code, printed } = await inEnvironment({ ...bareEnvironment(folder), ...seen.env }, () =>
        runLine(line, folder, seen),
      );
      const names = Object.entries({ ...seen.names, [`${folder}/`]: '', [folder]: '.' });
      played.push({
        code,
        printed: names.reduce((text, [here, there]) => text.replaceAll(here, there), printed).split('\n'),
      });
    }
    return played;
  } finally {
    for (const undo of undoes) await undo();
  }
}

interface Ended {
  readonly code: number;
  readonly printed: string;
}

/** Variables before a command, and the command. */
const COMMAND = /^((?:[A-Z_]+=\S* )*)(.*)$/;

/** Whether a line runs ftpc; others are for the shell. */
export const isOfFtpc = (line: string): boolean => COMMAND.exec(line)?.[2]?.startsWith('ftpc ') ?? false;

async function runLine(line: string, folder: string, seen: Surroundings): Promise<Ended> {
  if (!isOfFtpc(line)) return inShell(line, folder);
  const [, assignments = '', rest = ''] = COMMAND.exec(line) ?? [];
  const env = Object.fromEntries(
    assignments
      .split(' ')
      .filter((part) => part !== '')
      .map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]),
  );
  const words = wordsOf(rest).slice(1);
  const run = inEnvironment(env, () => (seen.asProcess === true ? asProcess : inside)(words, folder, seen));
  await Promise.all([run, seen.meanwhile?.()]);
  return run;
}

/** Words of a command line, with quotes around those that hold blanks. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/(?:"([^"]*)"|'([^']*)'|(\S+))/g)].map(([, one, two, bare]) => one ?? two ?? bare ?? '');

async function inside(words: readonly string[], folder: string, { host }: Surroundings): Promise<Ended> {
  const lines: string[] = [];
  const print = (line: string): void => void lines.push(line);
  const real = nodeHost(folder);
  const colours = pc.createColors(false);
  const context: CliContext = {
    host: host?.(real) ?? real,
    out: print,
    err: print,
    input: async () => new Uint8Array(),
    terminal: { out: false, err: false },
    colours: { out: colours, err: colours },
    width: 100,
  };
  const code = await dispatch(words, context);
  return { code, printed: lines.join('\n') };
}

async function asProcess(words: readonly string[], folder: string): Promise<Ended> {
  const { code, out, err } = await ftpc(folder, words);
  return { code, printed: `${out}${err}` };
}

const inShell = (line: string, cwd: string): Promise<Ended> =>
  new Promise((resolve) => {
    execFile('sh', ['-c', line], { cwd }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), printed: `${out}${err}`.trimEnd() }),
    );
  });

/** Variables of this process for as long as `work` takes: stages run in processes that inherit them. */
async function inEnvironment<T>(env: Readonly<Record<string, string>>, work: () => Promise<T>): Promise<T> {
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, env);
  try {
    return await work();
  } finally {
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  }
}
