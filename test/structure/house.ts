/**
 * The wings of the house and their rooms, in the order in which text becomes artefacts: what the tests of the structure
 * hold the code against.
 */

export interface Room {
  /** A folder, or a file that is a room of its own. */
  readonly path: string;
  /** What it does, in a few words. */
  readonly doc: string;
  /** May touch files, processes, the network and the clock itself; the other rooms have a `Host`. */
  readonly rim?: boolean;
}

export interface Wing {
  readonly name: string;
  /** What goes in and what comes out. */
  readonly doc: string;
  readonly rooms: readonly Room[];
}

export const WINGS: readonly Wing[] = [
  {
    name: 'language',
    doc: 'text → checked program',
    rooms: [
      { path: 'src/language/host', doc: 'files and environment', rim: true },
      { path: 'src/language/source', doc: 'texts and spans' },
      { path: 'src/language/diagnostics', doc: 'codes and messages' },
      { path: 'grammar', doc: 'tokens and rules' },
      { path: 'src/language/syntax', doc: 'text → syntax tree' },
      { path: 'src/language/formatter', doc: 'syntax tree → text' },
      { path: 'src/language/ir', doc: 'the program as data' },
      { path: 'src/language/schemas', doc: 'settings of each stage' },
      { path: 'src/language/check', doc: 'names, types, units' },
      { path: 'src/language/compile.ts', doc: 'the phases, numbered' },
      { path: 'src/language/lint', doc: 'advice and fixes' },
    ],
  },
  {
    name: 'compute',
    doc: 'tensors → models; knows nothing of pipelines',
    rooms: [
      { path: 'src/compute/libraries', doc: 'native code', rim: true },
      { path: 'src/compute/tensor', doc: 'graphs, ops, runtimes' },
      { path: 'src/compute/models', doc: 'architectures, weights' },
      { path: 'src/compute/training', doc: 'the training loop' },
      { path: 'src/compute/evaluation', doc: 'metrics, generation' },
      { path: 'src/compute/packaging', doc: 'adapters, merging' },
      { path: 'src/compute/accelerate', doc: 'PyTorch in processes', rim: true },
      { path: 'src/compute/serving', doc: 'answers to many at once', rim: true },
    ],
  },
  {
    name: 'pipeline',
    doc: 'checked program → plan → run → artefacts',
    rooms: [
      { path: 'src/pipeline/deploy', doc: 'releases, rollback' },
      { path: 'src/pipeline/stages', doc: 'what each stage runs' },
      { path: 'src/pipeline/store', doc: 'outputs, journal', rim: true },
      { path: 'src/pipeline/hub', doc: 'downloads', rim: true },
      { path: 'src/pipeline/ollama', doc: 'models of Ollama', rim: true },
      { path: 'src/pipeline/lock', doc: 'pinned revisions' },
      { path: 'src/pipeline/planner', doc: 'keys, memory, choice' },
      { path: 'src/pipeline/prepare', doc: 'file → plan, for all' },
      { path: 'src/pipeline/run', doc: 'scheduler, processes', rim: true },
      { path: 'src/pipeline/serve', doc: 'releases that answer', rim: true },
      { path: 'src/pipeline/eject', doc: 'a training that leaves', rim: true },
    ],
  },
  {
    name: 'tools',
    doc: 'what people and programs use',
    rooms: [
      { path: 'src/tools/review', doc: 'what a change changes' },
      { path: 'src/tools/install', doc: 'runtimes on demand', rim: true },
      { path: 'src/tools/import', doc: 'files of other tools' },
      { path: 'src/tools/insight', doc: 'runs, reports, docs' },
      { path: 'src/tools/track', doc: 'curves for trackers', rim: true },
      { path: 'src/tools/pipeline-tests', doc: 'NAME.test.ftp' },
      { path: 'src/tools/language-server', doc: 'editors' },
      { path: 'src/tools/cli', doc: 'one file per command', rim: true },
    ],
  },
];

/** Measures both; imports what it measures. */
export const BENCH: Room = { path: 'bench', doc: 'benchmarks', rim: true };

/** Every room, the first first. */
export const ROOMS: readonly Room[] = [...WINGS.flatMap(({ rooms }) => rooms), BENCH];

/** The place of the room of a file in {@link ROOMS}; -1 where it has none. */
export const roomOf = (file: string): number =>
  ROOMS.findIndex(({ path }) => file === path || file.startsWith(`${path}/`));
