/** What changed of a stage: settings that count for something else now, and whether it makes something else. */

import type { Reason } from '../../language/ir/events.js';
import { runReasons } from '../../pipeline/planner/reasons.js';
import type { SettingChange, SettingOutline, StageOutline } from './types.js';

type Settings = Readonly<Record<string, SettingOutline>>;
type Renames = ReadonlyMap<string, string>;

/** Sorted by path. `renames`: new names of stages by their old ones. */
export function settingChanges(
  before: Settings,
  after: Settings,
  renames: Renames,
): readonly SettingChange[] {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const changes = paths.flatMap((path): readonly SettingChange[] => {
    const [was, is] = [before[path], after[path]];
    if (was !== undefined && is !== undefined && identityOf(was, is, renames) === identityOf(is, is))
      return [];
    const { from, preset } = is ?? was ?? {};
    return [
      {
        path,
        before: was?.text ?? null,
        after: is?.text ?? null,
        ...(from === undefined ? {} : { from }),
        ...(preset === undefined ? {} : { preset }),
      },
    ];
  });
  return changes.filter((change) => !followsFromCall(change, changes));
}

/** A file is its content, and a stage is a stage whatever it is called. */
function identityOf(setting: SettingOutline, after: SettingOutline, renames?: Renames): string {
  const digest = /^file\(.* (sha256:[0-9a-f]+)$/.exec(setting.text)?.[1];
  if (digest !== undefined) return digest;
  if (renames === undefined || after.refers === undefined) return setting.text;
  const [stage = '', ...port] = setting.text.split('.');
  return [renames.get(stage) ?? stage, ...port].join('.');
}

/** Another function has other arguments: those that it fills in itself are no changes of their own. */
function followsFromCall({ path, before, after, from }: SettingChange, all: readonly SettingChange[]) {
  if ((before !== null && after !== null) || (from !== undefined && from !== 'default')) return false;
  return all.some(
    (other) => other.before !== null && other.after !== null && path.startsWith(`${other.path}.`),
  );
}

interface Rerun {
  readonly reruns: boolean | null;
  readonly reasons: readonly Reason[];
  /** Stages that it reads and that run again. */
  readonly because: readonly string[];
}

const UNKNOWN: Rerun = { reruns: null, reasons: [], because: [] };
const STAYS: Rerun = { reruns: false, reasons: [], because: [] };

/** A reason that only says that an earlier stage has another output. */
const INHERITED = 'input_changed';

/** `made`: keys of all stages before; what another stage made already is not made again. */
export function rerunOf(
  before: StageOutline,
  after: StageOutline,
  renames: ReadonlyMap<string, string>,
  made: ReadonlySet<string>,
): Rerun {
  const [was, is] = [before.identity, after.identity];
  // no key: the stage could not be planned
  if (was === undefined || is === undefined || was.key === '' || is.key === '') return UNKNOWN;
  if (made.has(is.key)) return STAYS;
  const reasons = runReasons(is, { key: was.key, parts: underNewNames(was.parts, renames) });
  const own = reasons.filter(({ code }) => code !== INHERITED);
  const because = reasons.flatMap(({ code, path }) => (code === INHERITED ? [path ?? ''] : []));
  return { reruns: true, reasons: own, because };
}

const STAGE = 'stage:';

function underNewNames(parts: Readonly<Record<string, string>>, renames: ReadonlyMap<string, string>) {
  return Object.fromEntries(
    Object.entries(parts).map(([name, value]) => {
      const renamed = name.startsWith(STAGE) ? renames.get(name.slice(STAGE.length)) : undefined;
      return [renamed === undefined ? name : `${STAGE}${renamed}`, value];
    }),
  );
}
