/** A plan as it is saved: the program without places and texts, so that its form may change and its meaning not. */

import type { Host } from '../../../language/host/host.js';
import type { Program, Value } from '../../../language/ir/program.js';
import { isCall, isRecord } from '../../../language/ir/values.js';
import { repositoryOf } from '../../../language/schemas/repositories.js';
import type { Secret } from '../../../language/syntax/ast.js';
import { canonical, sha256 } from '../canonical.js';
import type { Plan, PlannedDevice } from '../plan-json.js';
import type { SavedDevice, SavedPlan, SavedProgram, SavedSecret } from './saved-file.js';

interface SavedPlanInput {
  readonly program: Program;
  readonly plan: Plan;
  readonly host: Host;
  readonly ftpc: string;
  readonly threads: number;
  readonly params: Readonly<Record<string, string>>;
  readonly secrets: readonly Secret[];
  /** The lock file's text. */
  readonly lock: string | undefined;
}

export function savedPlan(saving: SavedPlanInput): SavedPlan {
  const { program, plan, ftpc, threads, params, lock } = saving;
  return {
    version: 1,
    type: 'ftpc.plan',
    ftpc,
    runtime: plan.runtime,
    engine: plan.engine,
    ...(plan.ranks === undefined ? {} : { ranks: plan.ranks }),
    pipeline: program.file,
    params,
    machine: {
      memoryBytes: plan.machine.memoryBytes,
      threads,
      ...(plan.device === undefined ? {} : { device: savedDevice(plan.device) }),
    },
    secrets: savedSecrets(saving.secrets, saving.host),
    lock: lockDigest(lock),
    repositories: (program.repositories ?? []).map(({ kind, id, revision, commit }) => ({
      kind,
      id,
      revision,
      commit,
    })),
    program: savedProgram(program),
    stages: plan.stages.map(({ name, kind, key, parts, chosen }) => ({ name, kind, key, parts, chosen })),
  };
}

/** What a run has to find. */
export const savedDevice = ({ name, memoryBytes }: PlannedDevice): SavedDevice => ({ name, memoryBytes });

export const lockDigest = (text: string | undefined): string | null =>
  text === undefined ? null : sha256(text.replaceAll('\r\n', '\n'));

/** Names of secrets and whether they are set. */
export const savedSecrets = (secrets: readonly Secret[], host: Host): readonly SavedSecret[] =>
  secrets.flatMap(({ name, value }) => {
    const variable = value.kind === 'call' ? value.args[0]?.value : undefined;
    if (variable?.kind !== 'string') return [];
    return [{ name: name.text, env: variable.value, set: (host.env(variable.value) ?? '') !== '' }];
  });

export function savedProgram({ stages, budgets }: Program): SavedProgram {
  return {
    stages: Object.fromEntries(
      stages.map(({ name, kind, preset, settings, requires }) => [
        name,
        {
          kind,
          using: preset ?? null,
          settings: Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, bare(value)])),
          requires: requires.map(({ text }) => text),
        },
      ]),
    ),
    budgets: Object.fromEntries(
      budgets.map(({ name, settings, requires }) => [
        name,
        [
          ...Object.entries(settings).map(([key, value]) => `${key} = ${canonical(bare(value))}`),
          ...requires.map(({ text }) => text),
        ],
      ]),
    ),
  };
}

/** Files by their digest; repositories without what only the Hub knows. */
function bare(value: Value): unknown {
  if (Array.isArray(value)) return value.map((item: Value) => bare(item));
  if (!isRecord(value)) return value;
  if (isCall(value) && repositoryOf(value) !== undefined)
    return { ...value, args: fieldsBut(value.args, ['commit', 'found']) };
  return fieldsBut(value, 'sha256' in value ? ['text'] : []);
}

const fieldsBut = (value: { readonly [key: string]: Value }, names: readonly string[]): object =>
  Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !names.includes(name))
      .map(([name, field]) => [name, bare(field)]),
  );
