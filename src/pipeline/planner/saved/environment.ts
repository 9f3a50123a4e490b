/** Engine, devices, versions and machine of a saved plan against those that are here. */
import type { EngineName, Ranks } from '../../../language/ir/engines.js';
import { ABSENT, digestText, type PlanDifference, shown } from './compare.js';
import type { SavedDevice, SavedPlan } from './saved-file.js';

/** Differences of the machine and of versions, found before anything is planned. */
interface PlanEnvironment {
  readonly ftpc: string;
  readonly runtime: string;
  readonly engine: EngineName;
  /** Of the accelerate engine. */
  readonly ranks?: Ranks;
  readonly device?: SavedDevice;
  readonly memoryBytes: number;
  readonly secrets: SavedPlan['secrets'];
  readonly lock: string | null;
}

export function environmentDifferences(saved: SavedPlan, now: PlanEnvironment): readonly PlanDifference[] {
  const plain = (what: string, before: string, after: string): readonly PlanDifference[] =>
    before === after ? [] : [{ what, before, after }];
  const secretText = (set: boolean | undefined): string =>
    set === undefined ? ABSENT : set ? 'set' : 'not set';
  return [
    ...plain('the version of ftpc', saved.ftpc, now.ftpc),
    ...engineDifferences(saved, now),
    ...deviceDifferences(saved.machine.device, now.device),
    ...(now.memoryBytes < saved.machine.memoryBytes
      ? plain('the memory of the machine', `${saved.machine.memoryBytes} bytes`, `${now.memoryBytes} bytes`)
      : []),
    ...saved.secrets.flatMap(({ name, env, set }) => {
      const found = now.secrets.find((secret) => secret.name === name && secret.env === env);
      return plain(`the secret \`${name}\` (${env})`, secretText(set), secretText(found?.set));
    }),
    ...plain('the lock file', digestText(saved.lock ?? undefined), digestText(now.lock ?? undefined)),
  ];
}

const changed = (what: string, before: unknown, after: unknown): readonly PlanDifference[] =>
  before === after ? [] : [{ what, before: shown(before), after: shown(after) }];

/** The engine, and then its versions and its ranks, each for itself. */
function engineDifferences(saved: SavedPlan, now: PlanEnvironment): readonly PlanDifference[] {
  const engine = saved.engine ?? (saved.ranks === undefined ? 'embedded' : 'accelerate');
  if (engine !== now.engine) return changed('the engine', engine, now.engine);
  if (engine === 'embedded') return changed('the runtime', saved.runtime, now.runtime);
  const [then, there] = [versionsIn(saved.runtime), versionsIn(now.runtime)];
  const packages = [...new Set([...then.keys(), ...there.keys()])];
  return [
    ...packages.flatMap((name) => changed(`the version of ${name}`, then.get(name), there.get(name))),
    ...RANK_FIELDS.flatMap(([field, what]) => changed(what, saved.ranks?.[field], now.ranks?.[field])),
  ];
}

const RANK_FIELDS: readonly (readonly [keyof Ranks, what: string])[] = [
  ['device', 'what the ranks compute on'],
  ['devices', 'the number of devices'],
  ['nodes', 'the number of nodes'],
  ['sharding', 'how devices are to share a model'],
];

/** `accelerate torch 2.15.0, transformers 5.24.0` by package. */
const versionsIn = (runtime: string): ReadonlyMap<string, string> =>
  new Map(
    runtime.split(', ').map((one): [string, string] => {
      const words = one.split(' ');
      return [words.at(-2) ?? one, words.at(-1) ?? ''];
    }),
  );

/** A GPU of the same name is as good as the one of the plan, unless it has less memory. */
function deviceDifferences(
  saved: SavedDevice | undefined,
  now: SavedDevice | undefined,
): readonly PlanDifference[] {
  if (saved?.name !== now?.name) return changed('the GPU', saved?.name, now?.name);
  if (saved === undefined || now === undefined || now.memoryBytes >= saved.memoryBytes) return [];
  return changed('the memory of the GPU', `${saved.memoryBytes} bytes`, `${now.memoryBytes} bytes`);
}
