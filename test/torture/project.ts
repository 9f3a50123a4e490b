/** Projects that are tortured: made, run, compared with others, and looked through for what should not be there. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { type PipelineOptions, writePipeline } from '../pipeline/run/pipelines.js';
import { type FaultPlan, PLAN } from './faults/plan.js';

const FTPC = fileURLToPath(new URL('../../bin/main.js', import.meta.url));
const PRELOAD = fileURLToPath(new URL('./faults/preload.js', import.meta.url));

/** From rows to a release, in four steps of training. */
export const WHOLE: PipelineOptions = { steps: 4, gate: '< 1e9' };
/** Rows and dialogs only. */
export const BEGINNING: PipelineOptions = {};
/** The stages of {@link WHOLE}, in order. */
export const STAGES = ['rows', 'dialogs', 'adapter', 'quality', 'fused', 'local'] as const;

/** Makes a project in a folder that does not exist yet. */
export function makeProject(folder: string, options: PipelineOptions): string {
  mkdirSync(folder, { recursive: true });
  const real = realpathSync(folder);
  writePipeline(real, options);
  return real;
}

export interface Ended {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly out: string;
  readonly err: string;
  /** It did not end, and was ended. */
  readonly hung: boolean;
}

/** Milliseconds after which a command that has not ended is taken for one that hangs: a hundred times what it takes. */
const PATIENCE = 300_000;

export interface RunOptions {
  readonly faults?: FaultPlan;
  readonly env?: Readonly<Record<string, string>>;
  /** The user that runs it, by number. */
  readonly uid?: number;
}

/** Runs a command line to its end, in a group of processes of its own. */
export async function ftpc(cwd: string, words: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { faults, env, uid } = options;
  const preload = faults === undefined ? [] : ['--import', PRELOAD];
  const { exitCode, signal, stdout, stderr, timedOut } = await execa(
    process.execPath,
    [...preload, FTPC, ...words],
    {
      cwd,
      env: { ...env, ...(faults === undefined ? {} : { [PLAN]: JSON.stringify(faults) }), NO_COLOR: '1' },
      reject: false,
      detached: true,
      cleanup: true,
      stdin: 'ignore',
      maxBuffer: 1 << 26,
      timeout: PATIENCE,
      killSignal: 'SIGKILL',
      ...(uid === undefined ? {} : { uid, gid: uid }),
    },
  );
  return { code: exitCode, signal, out: stdout, err: stderr, hung: timedOut };
}

export const run = (cwd: string, options: RunOptions = {}, words: readonly string[] = []): Promise<Ended> =>
  ftpc(cwd, ['run', 'tiny.ftp', '--json', ...words], options);

export type Line = Readonly<Record<string, unknown>>;

/** Events of a run; a line that a kill cut off is left out. */
export const eventsOf = ({ out }: Pick<Ended, 'out'>): readonly Line[] =>
  out.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Line];
    } catch {
      return [];
    }
  });

/** The codes of what a run said was wrong. */
export const errorsOf = (ended: Ended): readonly string[] =>
  eventsOf(ended)
    .filter(({ type, severity }) => type === 'diagnostic' && severity === 'error')
    .map(({ code }) => String(code));

/** Whether a command said something that only a programmer understands. */
export const isTrace = ({ out, err }: Pick<Ended, 'out' | 'err'>): boolean =>
  /bug in ftpc|^ {4}at |FTP0899|uncaught|core dumped/im.test(`${out}\n${err}`);

/** How a run ended that should have ended well; `undefined` if it did. */
export function notWell(ended: Ended): string | undefined {
  if (ended.hung) return 'it did not end';
  if (ended.code === 0 && !isTrace(ended)) return undefined;
  return `it ended with ${ended.code ?? ended.signal}: ${tail(ended)}`;
}

/** How a run ended that should have been refused with a diagnostic; `undefined` if it was. */
export function notRefused(ended: Ended): string | undefined {
  if (ended.hung) return 'it did not end';
  if (isTrace(ended)) return `it showed a trace: ${tail(ended)}`;
  if (ended.code !== 1) return `it ended with ${ended.code ?? ended.signal}: ${tail(ended)}`;
  return errorsOf(ended).length > 0 || /error\[FTP\d{4}\]/.test(ended.err)
    ? undefined
    : `no code: ${tail(ended)}`;
}

const tail = ({ out, err }: Ended): string => {
  const said = out.split('\n').filter((line) => line.includes('"diagnostic"'));
  return `${said.slice(-2).join(' ')} ${err}`.trim().slice(-1200);
};

/** What differs from run to run, in files that are otherwise the same: times, and whether a release was there already. */
const VOLATILE =
  /"(?:action|seconds|secondsPerStep|tokensPerSecond|tokens_per_second|peakMemoryBytes|created|modified|at|check|sha256)": ?(?:"[^"]*"|[\d.e+-]+)/g;

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/**
 * Digests of all outputs, store and releases, without times and what follows from them; by path. `makers`: the projects
 * that made them, whose paths some name.
 */
export function outputsOf(folder: string, makers: readonly string[] = [folder]): ReadonlyMap<string, string> {
  const found = ['.ftp/store', 'releases'].flatMap((top) => filesBelow(join(folder, top)));
  return new Map(
    found
      .map((path) => [relative(folder, path).split(sep).join('/'), path] as const)
      .filter(([name]) => !name.endsWith('history.jsonl'))
      .map(([name, path]) => [name, digestOf(makers, path)]),
  );
}

function digestOf(makers: readonly string[], path: string): string {
  const bytes = readFileSync(path);
  if (!/\.jsonl?$/.test(path)) return sha256(bytes);
  const text = makers.reduce((rest, maker) => rest.replaceAll(maker, '.'), bytes.toString());
  return sha256(text.replaceAll(VOLATILE, '').replaceAll(/"bytes": ?\d+/g, ''));
}

/** Files of a folder and of those in it, none of links. */
function filesBelow(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The first output that is not as expected. */
export function difference(
  expected: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): string | undefined {
  for (const [name, digest] of expected) {
    const other = found.get(name);
    if (other !== digest) return `${name} ${other === undefined ? 'is missing' : 'is another'}`;
  }
  for (const name of found.keys()) if (!expected.has(name)) return `${name} should not be there`;
  return undefined;
}

/** What a run that ended must not have left. */
export function leftovers(folder: string): readonly string[] {
  const top = join(folder, '.ftp');
  const names = (path: string): readonly string[] => (existsSync(path) ? readdirSync(path) : []);
  const releases = filesBelow(join(folder, 'releases')).map((path) => relative(folder, path));
  return [
    ...names(top).filter((name) => /^lock|\.tmp$/.test(name)),
    ...names(join(top, 'tmp')).map((name) => `tmp/${name}`),
    ...names(join(top, 'work')).map((name) => `work/${name}`),
    ...names(join(top, 'claims')).map((name) => `claims/${name}`),
    ...names(join(folder, 'releases/tiny')).filter((name) => name.startsWith('.')),
    ...releases.filter((name) => /(^|\/)\.(publishing|current)-|\.tmp$/.test(name)),
    ...processesIn(folder).map((pid) => `process ${pid}`),
  ];
}

/** Processes whose working directory a folder is; none where the system does not say. */
export function processesIn(folder: string): readonly number[] {
  if (!existsSync('/proc/self/cwd')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`) === folder;
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Every entry of a store that can be seen is whole: what its record lists is there, with the digests. */
export function halfOutputs(folder: string): readonly string[] {
  const store = join(folder, '.ftp/store');
  if (!existsSync(store)) return [];
  return readdirSync(store).flatMap((key) => {
    const record = join(store, key, 'stage.json');
    if (!existsSync(record)) return [`${key} has no record`];
    const { files } = JSON.parse(readFileSync(record, 'utf8')) as {
      readonly files: Readonly<Record<string, { readonly sha256: string }>>;
    };
    return Object.entries(files)
      .filter(([name, file]) => {
        const path = join(store, key, name);
        return !existsSync(path) || sha256(readFileSync(path)) !== file.sha256;
      })
      .map(([name]) => `${key}/${name} is not whole`);
  });
}
