/** Models and data sets of the Hub without a commit, which can change at any time. */
import type { CheckedStage } from '../check/stages.js';
import type { Call, StageKind, Value } from '../ir/program.js';
import { isCall, isList } from '../ir/values.js';
import { entryOf } from './lock.js';
import { declarationOf } from './places.js';
import type { Finding, Pipeline } from './types.js';

const COMMIT = /^[0-9a-f]{40}$/;

/** Calls of `call` under these keys that neither name a commit nor are in the lock; each repository once. */
export function unpinned(
  pipeline: Pipeline,
  call: string,
  kinds: readonly StageKind[],
  keys: readonly string[],
): readonly Finding[] {
  const found = new Map<string, Finding>();
  for (const checked of kinds.flatMap((kind) => pipeline.of(kind)))
    for (const key of keys)
      for (const { args } of callsOf(checked.stage.settings[key], call)) {
        const name = String(args['repository']);
        const isPinned =
          COMMIT.test(String(args['revision'])) ||
          entryOf(pipeline.files.lock, { call, args })?.commit !== undefined;
        if (!isPinned && !found.has(name)) found.set(name, finding(checked, key, name, pipeline));
      }
  return [...found.values()];
}

function callsOf(value: Value | undefined, name: string): readonly Call[] {
  if (isList(value)) return value.flatMap((item) => callsOf(item, name));
  return isCall(value) && value.call === name ? [value] : [];
}

const finding = (checked: CheckedStage, key: string, name: string, pipeline: Pipeline): Finding => ({
  at: declarationOf(checked, key, pipeline),
  message: `the version of \`${name}\` is not pinned`,
  label: 'may change at any time',
  help: 'run `ftpc lock`, which records the commit in the lock file, or write it as `revision: "…"`',
});
