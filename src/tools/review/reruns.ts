/** Which stages make something else than before, and what of that is their own doing. */
import type { Reason } from '../../language/ir/events.js';
import { runReasons } from '../../pipeline/planner/reasons.js';
import type { StageOutline } from './types.js';

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

function underNewNames(
  parts: Readonly<Record<string, string>>,
  renames: ReadonlyMap<string, string>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(parts).map(([name, value]) => {
      const renamed = name.startsWith(STAGE) ? renames.get(name.slice(STAGE.length)) : undefined;
      return [renamed === undefined ? name : `${STAGE}${renamed}`, value];
    }),
  );
}
