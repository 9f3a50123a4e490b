/** A training that has diverged goes back to a good checkpoint and on from there with a lower rate, where its file says so. */
import * as v from 'valibot';
import { CHECKPOINT_FOLDERS, checkpointName, STORED_STATE } from '../../../compute/training/checkpoint.js';
import { isDivergence, type Setback, type TrainingState } from '../../../compute/training/index.js';
import { lossWatch } from '../../../compute/training/watch.js';
import { figure, tryJsonFile, version } from '../../../language/host/json.js';
import type { Stage } from '../../../language/ir/program.js';
import { isCall } from '../../../language/ir/values.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import type { StageContext } from '../stage.js';

type SetbackContext = Pick<StageContext, 'stage' | 'host' | 'work' | 'key'>;

/** What a train stage does when it diverges. */
type DivergenceAnswer = 'warn' | 'stop' | { readonly rate: number; readonly times: number };

export function divergenceAnswer(stage: Pick<Stage, 'kind' | 'settings'>): DivergenceAnswer {
  const answer = settingsOf(stage, 'train').watch?.divergence ?? 'stop';
  if (!isCall(answer)) return answer === 'warn' ? 'warn' : 'stop';
  return { rate: Number(answer.args['rate']), times: Number(answer.args['times']) };
}

/** A committed folder of the work folder, next to the checkpoints. */
const FOLDER = 'setbacks';
const FILE = 'setbacks.json';
const STORED = v.object({
  version: version(1),
  /** Of what decides the result, as in a checkpoint. */
  digest: v.string(),
  setbacks: v.array(v.object({ to: figure, factor: figure })),
});

/** Those of this training so far, oldest first. */
export function readSetbacks({ host, work, key }: SetbackContext): readonly Setback[] {
  const stored = tryJsonFile(STORED, host, `${work.path}/${FOLDER}/${FILE}`);
  return stored?.digest === key ? stored.setbacks : [];
}

/**
 * Takes the training back to its last good checkpoint, or to its start. `undefined` where it may not go back, or not
 * once more. A kill on the way leaves a training that diverges in the same way again.
 */
export async function setBack(error: unknown, context: SetbackContext): Promise<Setback | undefined> {
  const answer = divergenceAnswer(context.stage);
  const earlier = readSetbacks(context);
  if (!isDivergence(error) || typeof answer === 'string' || earlier.length >= answer.times) return undefined;
  const { work, key } = context;
  const checkpoints = CHECKPOINT_FOLDERS.flatMap((folder) => statesIn(context, folder));
  const steps = longest(checkpoints.map(({ state }) => state.steps));
  const good = lossWatch(steps).good();
  const to = Math.max(0, ...checkpoints.map(({ state }) => state.step).filter((step) => step <= good));
  for (const { name, state } of checkpoints) if (state.step > to) work.remove(name);
  const setback = { to, factor: answer.rate };
  const stored = { version: 1, digest: key, setbacks: [...earlier, setback] };
  await work.commit(FOLDER, { [FILE]: JSON.stringify(stored) });
  return setback;
}

interface Checkpoint {
  /** Below the work folder. */
  readonly name: string;
  readonly state: TrainingState;
}

function statesIn({ host, work, key }: SetbackContext, folder: string): readonly Checkpoint[] {
  const path = `${work.path}/${folder}`;
  if (host.stat(path) === undefined) return [];
  return host.list(path).flatMap((each): readonly Checkpoint[] => {
    const stored = tryJsonFile(STORED_STATE, host, `${path}${each}/state.json`);
    if (stored?.digest !== key || each !== checkpointName(stored.state.step)) return [];
    return [{ name: `${folder}${each}`, state: stored.state }];
  });
}

const longest = <T>(lists: readonly (readonly T[])[]): readonly T[] =>
  lists.reduce((most, list) => (list.length > most.length ? list : most), []);
