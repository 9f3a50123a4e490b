/**
 * What a stage reads of a hub, fetched before it begins: in the stage's own process, so that a run shows and ends it as
 * its work.
 */

import { offlineMissing } from '../../language/diagnostics/catalogue/hub.js';
import { UserError } from '../../language/diagnostics/types.js';
import { type Host, type ServerWait, waitText } from '../../language/host/host.js';
import type { StageEvent } from '../../language/ir/events.js';
import type { PinnedRepository, Stage } from '../../language/ir/program.js';
import { pinnedCommit, repositoryOf } from '../../language/schemas/repositories.js';
import { isSmall } from '../stages/hub-repositories.js';
import { accessFrom } from './access.js';
import { hubCalls } from './calls.js';
import { fetchFile, isSound } from './download.js';

interface FetchTask {
  readonly stage: Stage;
  /** Stages whose outputs it reads, near and far: their models may be looked into again. */
  readonly inputs: readonly Stage[];
  readonly repositories: readonly PinnedRepository[];
  readonly host: Host;
  readonly signal: AbortSignal;
  emit(event: StageEvent): void;
}

/** Milliseconds between two events. */
const EVERY = 250;

/** Throws a `UserError`, or the signal's reason. Complete files are left alone, and no server is asked for them. */
export async function fetchForStage(task: FetchTask): Promise<void> {
  for (const repository of wanted(task)) await fetchRepository(task, repository);
}

/** Rows are read by data stages alone, and a format stage needs no weights. */
export function wanted({
  stage,
  inputs,
  repositories,
}: Pick<FetchTask, 'stage' | 'inputs' | 'repositories'>): readonly PinnedRepository[] {
  const kind = stage.kind === 'data' ? 'dataset' : 'model';
  const stages = stage.kind === 'data' || stage.kind === 'format' ? [stage] : [stage, ...inputs];
  const named = new Set(
    hubCalls(stages).map(({ call }) => `${repositoryOf(call)?.id} ${pinnedCommit(call)}`),
  );
  return repositories
    .filter((pinned) => pinned.kind === kind && named.has(`${pinned.id} ${pinned.commit}`))
    .map((pinned) =>
      stage.kind === 'format'
        ? { ...pinned, files: pinned.files.filter(({ name }) => isSmall(name)) }
        : pinned,
    );
}

async function fetchRepository(
  { stage, host, signal, emit }: FetchTask,
  pinned: PinnedRepository,
): Promise<void> {
  const access = {
    ...accessFrom(host, pinned.secret, signal),
    // how slowly it comes is shown as it is
    waiting: (wait: ServerWait): void =>
      wait.pause === undefined ? undefined : say(`${waitText(wait)}: ${pinned.id}`),
  };
  const missing = pinned.files.filter((file) => !isSound(host, access, pinned, file));
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  if (access.offline) throw new UserError(offlineMissing(pinned, names));
  const total = missing.reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  let last = 0;
  let latest = 0;
  const say = (label: string): void =>
    emit({ type: 'stage.progress', stage: stage.name, done: latest, total, unit: 'bytes', label });
  const show = (done: number): void => {
    if (host.clock() - last < EVERY && done < total) return;
    last = host.clock();
    latest = done;
    say(`fetching ${pinned.id}`);
  };
  for (const file of missing) {
    await fetchFile({ host, access, pinned, file, progress: (bytes) => show(before + bytes) });
    before += file.bytes;
    show(before);
  }
}
