/** What a query can read: the views, their columns, and the rows that a run gives them. */
import type { Run, RunStage, TrainStep } from '../runs/index.js';

export type ColumnType = 'VARCHAR' | 'DOUBLE' | 'INTEGER' | 'BOOLEAN' | 'TIMESTAMP';
/** A time is milliseconds since the epoch. */
export type Cell = string | number | boolean | null;

interface View {
  readonly doc: string;
  readonly columns: Readonly<Record<string, readonly [type: ColumnType, doc: string]>>;
  /** In the order of the columns. */
  rows(run: Run): readonly (readonly Cell[])[];
}

const RUN = ['VARCHAR', 'Id of the run; sorts by time.'] as const;
const STAGE = ['VARCHAR', 'Name of the stage.'] as const;

const ofStages = (run: Run, rows: (stage: RunStage) => readonly (readonly Cell[])[]): Cell[][] =>
  run.stages.flatMap((stage) => rows(stage).map((row) => [run.id, stage.name, ...row]));

/** Of stages that were trained in this run. */
const ofTraining = (run: Run, rows: (stage: RunStage) => readonly (readonly Cell[])[]) =>
  ofStages(run, (stage) => (stage.action === 'cached' ? [] : rows(stage)));

/** Steps are whole numbers; a damaged line may have others. */
const whole = (value: number): Cell => (Number.isInteger(value) ? value : null);

/** What devices did in a step, in the order of its columns. */
function devicesOf({ tokensPerSecond, ranks }: TrainStep): readonly Cell[] {
  const { count = 1, sharding = null, memory = [], resident = [] } = ranks ?? {};
  const [fullest] = memory.toSorted((a, b) => b.reserved - a.reserved);
  return [
    tokensPerSecond,
    whole(count),
    tokensPerSecond === null ? null : tokensPerSecond / count,
    sharding,
    fullest?.allocated ?? null,
    fullest?.reserved ?? null,
    resident.length === 0 ? null : Math.max(...resident),
  ];
}

export const VIEWS: Readonly<Record<string, View>> = {
  runs: {
    doc: 'One row per run.',
    columns: {
      run: RUN,
      pipeline: ['VARCHAR', 'The pipeline file, as given.'],
      started: ['TIMESTAMP', 'In UTC.'],
      status: ['VARCHAR', 'done, failed, gate_failed, budget_exceeded, interrupted, or unfinished.'],
      seconds: ['DOUBLE', 'Time of the whole run; for an unfinished one, until its last event.'],
      engine: ['VARCHAR', 'The engine that ran it.'],
      runtime: [
        'VARCHAR',
        'Name and version of the tensor runtime, or of the packages of the accelerate engine.',
      ],
      devices: ['INTEGER', 'That a training shared, of all nodes; 1 in the embedded engine.'],
      nodes: ['INTEGER', 'Machines.'],
      ftpc: ['VARCHAR', 'Version of ftpc.'],
    },
    rows: ({ id, pipeline, started, status, seconds, engine, runtime, ranks, ftpc }) => {
      const { devices = 1, nodes = 1 } = ranks ?? {};
      const place = [whole(devices * nodes), whole(nodes)];
      return [[id, pipeline, started, status, seconds, engine, runtime, ...place, ftpc]];
    },
  },
  params: {
    doc: 'One row per parameter that was given with `-p`.',
    columns: { run: RUN, param: ['VARCHAR', 'Its name.'], value: ['VARCHAR', 'As typed.'] },
    rows: ({ id, params }) => Object.entries(params).map(([name, value]) => [id, name, value]),
  },
  stages: {
    doc: 'One row per stage of a run.',
    columns: {
      run: RUN,
      stage: STAGE,
      kind: ['VARCHAR', 'data, format, train, eval, merge or deploy.'],
      action: ['VARCHAR', 'run, resume or cached; null if it never started.'],
      status: ['VARCHAR', 'done, cached, failed, blocked, or unfinished.'],
      seconds: ['DOUBLE', '0 if it was cached.'],
      peak_memory: ['DOUBLE', 'Bytes; for a cached stage, measured when it ran.'],
      key: ['VARCHAR', 'Key of its output: equal keys mean equal outputs.'],
    },
    rows: (run) =>
      ofStages(run, ({ kind, action, status, seconds, peakMemoryBytes, key }) => [
        [kind, action, status, seconds, peakMemoryBytes, key],
      ]),
  },
  metrics: {
    doc: 'One row per metric of a stage of a run.',
    columns: {
      run: RUN,
      stage: STAGE,
      metric: ['VARCHAR', 'Its name; `baseline.perplexity` is that of the baseline.'],
      value: ['DOUBLE', 'Its value.'],
    },
    rows: (run) => ofStages(run, ({ metrics }) => Object.entries(metrics)),
  },
  settings: {
    doc: 'One row per setting, file, input or choice that is part of the key of a stage.',
    columns: {
      run: RUN,
      stage: STAGE,
      setting: ['VARCHAR', '`settings.optimizer.rate`, `chosen.method`, `file:…`, `stage:…`.'],
      value: ['VARCHAR', 'As JSON; for files and inputs, the digest.'],
    },
    rows: (run) => ofStages(run, ({ parts }) => Object.entries(parts ?? {})),
  },
  steps: {
    doc: 'One row per optimiser step of a run; cached stages have none.',
    columns: {
      run: RUN,
      stage: STAGE,
      step: ['INTEGER', 'From 1.'],
      epoch: ['DOUBLE', 'Passes over the rows so far.'],
      loss: ['DOUBLE', 'Nats per supervised token; null if it is not a number.'],
      learning_rate: ['DOUBLE', 'Learning rate of this step.'],
      grad_norm: ['DOUBLE', 'Before clipping.'],
      tokens_per_second: ['DOUBLE', 'Tokens trained on per second, by all devices.'],
      ranks: ['INTEGER', 'Processes that shared the step, one per device; 1 in the embedded engine.'],
      tokens_per_second_each: ['DOUBLE', 'The same of one device.'],
      sharding: ['VARCHAR', '`ddp` or `fsdp`; null for one device.'],
      device_memory: ['DOUBLE', 'Bytes that tensors take on the fullest GPU; null where none is.'],
      device_reserved: ['DOUBLE', 'Bytes that are held for them there.'],
      rank_memory: ['DOUBLE', 'Resident bytes of the largest rank on the CPU; null in the embedded engine.'],
    },
    rows: (run) =>
      ofTraining(run, ({ steps }) =>
        steps.map((one) => [
          ...[whole(one.step), one.epoch, one.loss, one.learningRate, one.gradNorm],
          ...devicesOf(one),
        ]),
      ),
  },
  validations: {
    doc: 'One row per validation of a run; cached stages have none.',
    columns: {
      run: RUN,
      stage: STAGE,
      step: ['INTEGER', 'Step after which it was measured.'],
      loss: ['DOUBLE', 'Nats per supervised token.'],
      best: ['BOOLEAN', 'Whether it is the lowest so far.'],
    },
    rows: (run) =>
      ofTraining(run, ({ validations }) =>
        validations.map(({ step, loss, best }) => [whole(step), loss, best]),
      ),
  },
};
