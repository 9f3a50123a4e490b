/** A stage's key: a digest of everything that can change its artefact, and of nothing else. */

import { ModelError } from '../../compute/models/types.js';
import type { RuntimeIdentity } from '../../compute/tensor/runtimes/index.js';
import type { Digests } from '../../language/host/digests.js';
import { type Host, HostError } from '../../language/host/host.js';
import { parseFlat } from '../../language/host/json.js';
import type { Program, Stage, StageKind } from '../../language/ir/program.js';
import { hasFactors } from '../../language/schemas/methods.js';
import { schemas } from '../../language/schemas/stages/index.js';
import { snapshotFolder } from '../stages/hub-repositories.js';
import { stages as definitions } from '../stages/index.js';
import { FIELDS, planOf } from '../stages/train-plan/fields.js';
import type { TrainPlan } from '../stages/train-plan/plan.js';
import { canonical, sha256 } from './canonical.js';
import { type KeyPart, type KeyPartsContext, type ModelContent, settingParts } from './key-parts.js';

export interface StageKey {
  readonly key: string;
  /** By the name that people read; kept in the store entry, so that a reason is a look-up. */
  readonly parts: Readonly<Record<string, string>>;
}

/** What keys depend on beyond the program. */
interface KeyContext {
  readonly digests: Pick<Digests, 'of'>;
  readonly runtime: RuntimeIdentity;
}

/** Settings that act through the plan alone: what they led to is in the key, and they are not. */
const PLAN_SETTINGS: Readonly<Partial<Record<StageKind, readonly string[]>>> = { train: ['fallback'] };

/**
 * A file that a stage reads and whose content is no longer what its key was made of, by the name of its part, or one
 * that was not there. A file that is gone has been read before. Files of a hub are pinned, and not read again.
 */
export function changedFile(
  program: Program,
  stage: Stage,
  keyed: Readonly<Record<string, string>>,
  host: Host,
  options: KeyContext,
): string | undefined {
  const snapshots = (program.repositories ?? []).map(
    (repository) => `${snapshotFolder(host, repository, repository.commit)}/`,
  );
  const digests: Pick<Digests, 'of'> = {
    of: (path) => (snapshots.some((folder) => path.startsWith(folder)) ? PINNED : options.digests.of(path)),
  };
  try {
    return stageParts(program, stage, host, { ...options, digests }, new Map())
      .find(({ name, value }) => name.startsWith(FILE) && value !== PINNED && keyed[name] !== value)
      ?.name.slice(FILE.length);
  } catch (error) {
    if (error instanceof HostError || error instanceof ModelError) return undefined;
    throw error;
  }
}

const FILE = 'file:';
/** In place of the digest of a file that a commit names. */
const PINNED = 'pinned';

/** What a stage's key is made of before anything is chosen; `earlier` has the keys of its inputs. */
export function stageParts(
  program: Program,
  stage: Stage,
  host: Host,
  options: KeyContext,
  earlier: ReadonlyMap<string, StageKey>,
): readonly KeyPart[] {
  const context: KeyPartsContext = {
    program,
    host,
    digests: options.digests,
    kind: stage.kind,
    keyOf: (name) => earlier.get(name)?.key ?? '',
  };
  return [
    plain('kind', stage.kind),
    plain('definition', String(definitions[stage.kind].version)),
    ...(definitions[stage.kind].tensors === 'artefact'
      ? [plain('runtime', runtimeName(options.runtime))]
      : []),
    ...ownParts(stage, context),
  ];
}

/** SHA-256 of all parts by their identities. Settings of `lora` count only under a method that has factors. */
export function keyOf(parts: readonly KeyPart[], plan: TrainPlan | undefined): StageKey {
  const shaped = hasFactors(plan?.method);
  const all = [
    ...parts.filter(({ name }) => shaped || !name.startsWith('settings.lora.')),
    ...planParts(plan),
  ];
  const identities = new Map(all.map(({ identity, value }) => [identity, value]));
  return {
    key: sha256(canonical(Object.fromEntries(identities))),
    parts: Object.fromEntries(all.map(({ name, value }) => [name, value])),
  };
}

export const runtimeName = ({ name, version }: RuntimeIdentity): string => `${name} ${version}`;

function ownParts(stage: Stage, context: KeyPartsContext): readonly KeyPart[] {
  const content: ModelContent = stage.kind === 'format' ? 'tokenizer' : 'all';
  const schema = schemas[stage.kind].settings;
  const skipped = new Set(PLAN_SETTINGS[stage.kind]);
  return (
    Object.entries(stage.settings)
      .filter(([name]) => !skipped.has(name))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, value]) => settingParts(`settings.${name}`, value, schema[name], context, content))
      // the micro batch acts through the plan
      .filter(({ name }) => name !== 'settings.batch.micro')
  );
}

/** What a key takes from a plan: accumulation follows from the micro batch, and what changes no result is left out. */
const planParts = (plan: TrainPlan | undefined): readonly KeyPart[] =>
  plan === undefined
    ? []
    : FIELDS.flatMap(({ name, key, applies }) => {
        const value = plan[name];
        if (key === undefined || value === undefined || applies?.(plan.method) === false) return [];
        return [{ name: `chosen.${name}`, identity: `chosen.${key}`, value: canonical(value) }];
      });

const plain = (name: string, value: string): KeyPart => ({ name, identity: name, value });

/** `undefined` for a text that is not JSON: ftpc has written none. */
function parsed(text: string): unknown {
  try {
    return parseFlat(text);
  } catch {
    return undefined;
  }
}

/** The plan that a record was made under, from its parts; `undefined` if it holds none. */
export function planFromParts(
  parts: Readonly<Record<string, string>>,
  global: number,
): TrainPlan | undefined {
  const values = new Map(
    FIELDS.map(({ name }): [string, unknown] => {
      const text = parts[`chosen.${name}`];
      return [name, text === undefined ? undefined : parsed(text)];
    }),
  );
  return planOf({
    ...{ rank: 0, alpha: 0 },
    ...Object.fromEntries([...values].filter(([, value]) => value !== undefined)),
    accumulation: Math.ceil(global / Number(values.get('microBatch'))),
  });
}
