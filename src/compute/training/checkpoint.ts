import * as v from 'valibot';
import type { Host } from '../../language/host/host.js';
import { type JsonOf, tryJson, version } from '../../language/host/json.js';
import type { WorkFolder } from '../../language/ir/outputs.js';
import { openSafetensors } from '../models/safetensors/read.js';
import { f32Writable, safetensorsChunks, type WritableTensor } from '../models/safetensors/write.js';
import { type Optimizer, type StateAccess, type StateTensor, slotBytes } from './optimizers/index.js';
import { TRAINING_STATE, type TrainingState } from './state.js';

const PARAMETERS = 'parameters.safetensors';
const OPTIMIZER = 'optimizer.safetensors';
const STATE = 'state.json';

type Parameters = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;
type State = Pick<Optimizer, 'state'>;

interface CheckpointOptions {
  readonly host: Host;
  readonly work: WorkFolder;
  /** Digest of everything that decides the result: training does not resume from a checkpoint with another one. */
  readonly digest: string;
  /** Newest checkpoints that are kept; the best one is kept in addition to them. */
  readonly keep: number;
  note(text: string): void;
}

export interface Checkpoints {
  /** Fills parameters and the optimiser's state from the newest usable checkpoint; `undefined` if there is none. */
  resume(parameters: Parameters, optimizer: State): TrainingState | undefined;
  /**
   * Commits the state under its step, then removes what is no longer kept. What is trained may change once this has
   * returned; resolves to the folder's path when it is on the disk.
   */
  save(state: TrainingState, parameters: Parameters, optimizer: State): Promise<string>;
  /** The parameters of a step's checkpoint; each is read from its file whenever `data` is asked for. */
  parametersOf(step: number): Parameters;
}

/** Where each engine has its checkpoints below the work folder. */
export const CHECKPOINT_FOLDERS = ['', 'checkpoints/'] as const;

/** `state.json` of a checkpoint, of either engine. */
export const STORED_STATE = v.object({ version: version(1), digest: v.string(), state: TRAINING_STATE });

/** Name of a step's checkpoint; names in order are steps in order up to a million. */
export const checkpointName = (step: number): string => `${PREFIX}${String(step).padStart(6, '0')}`;

const PREFIX = 'step-';

/** Checkpoints of one training in its work folder; those of another digest are not used, which is noted. */
export function checkpoints(options: CheckpointOptions): Checkpoints {
  const { host, work, digest, keep } = options;
  const steps = new Set<number>();
  const fileOf = (step: number, file: string): string => `${work.path}/${checkpointName(step)}/${file}`;
  return {
    resume(parameters, optimizer) {
      const found = usable(options);
      for (const { step } of found) steps.add(step);
      const newest = newestWithBest(found);
      if (newest === undefined) return undefined;
      fill(host, fileOf(newest.step, PARAMETERS), writableParameters(parameters));
      fill(host, fileOf(newest.step, OPTIMIZER), optimizer.state);
      return newest;
    },
    async save(state, parameters, optimizer) {
      const stored: JsonOf<typeof STORED_STATE> = { version: 1, digest, state };
      const { step: saved, best } = state;
      const name = checkpointName(saved);
      await work.commit(name, {
        [PARAMETERS]: safetensorsChunks(
          [...parameters].map(([name, { shape, data }]) => f32Writable(name, shape, data)),
        ),
        [OPTIMIZER]: safetensorsChunks(
          [...optimizer.state].map(([name, tensor]) => stateWritable(name, tensor)),
        ),
        [STATE]: JSON.stringify(stored),
      });
      steps.add(saved);
      for (const step of superseded(steps, keep, best?.step)) {
        work.remove(checkpointName(step));
        steps.delete(step);
      }
      return `${work.path}/${name}`;
    },
    parametersOf: (step) => onDisk(host, fileOf(step, PARAMETERS)),
  };
}

/** States of the committed checkpoints that belong to this training, oldest first. */
function usable({ host, work, digest, note }: CheckpointOptions): readonly TrainingState[] {
  const states: TrainingState[] = [];
  let foreign = 0;
  for (const name of work.committed()) {
    if (!name.startsWith(PREFIX)) continue;
    const path = `${work.path}/${name}/${STATE}`;
    const stored = host.stat(path) && tryJson(STORED_STATE, host.readText(path));
    if (stored?.digest === digest && name === checkpointName(stored.state.step)) states.push(stored.state);
    else foreign++;
  }
  if (foreign > 0)
    note(
      `${foreign === 1 ? 'a checkpoint' : `${foreign} checkpoints`} of other settings, rows or base: not used`,
    );
  return states.sort((a, b) => a.step - b.step);
}

/** The newest state whose best checkpoint is still there. */
function newestWithBest(states: readonly TrainingState[]): TrainingState | undefined {
  const steps = new Set(states.map(({ step }) => step));
  return states.findLast(({ best }) => best === null || steps.has(best.step));
}

function superseded(steps: ReadonlySet<number>, keep: number, best: number | undefined): readonly number[] {
  const newestFirst = [...steps].sort((a, b) => b - a);
  return newestFirst.slice(keep).filter((step) => step !== best);
}

/** A tensor that a checkpoint fills. */
type Target = Pick<StateAccess, 'type' | 'length' | 'write'>;

const writableParameters = (parameters: Parameters): ReadonlyMap<string, Target> =>
  new Map(
    [...parameters].map(([name, { data }]) => [
      name,
      { type: 'f32', length: data.length, write: (values) => data.set(values) },
    ]),
  );

/** Each tensor is asked for when its turn to be written has come. */
const stateWritable = (name: string, { type, length, read }: StateAccess): WritableTensor => ({
  name,
  dtype: type === 'f32' ? 'F32' : 'U8',
  shape: [length],
  chunks: () => [bytesOf(read())],
});

const bytesOf = ({ buffer, byteOffset, byteLength }: StateTensor): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

function onDisk(host: Host, path: string): Parameters {
  const file = openSafetensors(host, path);
  return new Map(
    [...file.tensors].map(([name, entry]) => [
      name,
      {
        shape: entry.shape,
        get data() {
          return floats(file.read(entry));
        },
      },
    ]),
  );
}

const floats = (bytes: Uint8Array): Float32Array =>
  new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);

/** Reads every tensor in place, one at a time. The digests were checked, so that a difference is a bug. */
function fill(host: Host, path: string, targets: ReadonlyMap<string, Target>): void {
  const file = openSafetensors(host, path);
  for (const [name, { type, length, write }] of targets) {
    const entry = file.tensors.get(name);
    if (entry === undefined || entry.end - entry.begin !== slotBytes({ type, length })) {
      throw new Error(`${path} has no ${name} of ${length} values`);
    }
    const bytes = file.read(entry);
    write(type === 'f32' ? floats(bytes) : bytes);
  }
}
