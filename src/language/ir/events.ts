/**
 * The events of a run: one JSON object a line under `--json`, the journal, and what the terminal shows. Contract:
 * docs/schema/events.json.
 */
import * as v from 'valibot';
import { anyObject, count, figure, type JsonOf, record, version } from '../host/json.js';
import { SHARDING_CHOICES, SHARDINGS } from './engines.js';
import { STAGE_KINDS } from './program.js';

const KIND = v.picklist(STAGE_KINDS);
const ACTION = v.picklist(['run', 'resume', 'cached']);
/** `ended`: early, by a search that goes on with better trials. */
const STAGE_STATUS = v.picklist(['done', 'cached', 'failed', 'blocked', 'ended']);
export const RUN_STATUS = v.picklist(['done', 'failed', 'gate_failed', 'budget_exceeded', 'interrupted']);
export type StageAction = v.InferInput<typeof ACTION>;
export type StageStatus = v.InferInput<typeof STAGE_STATUS>;
export type RunStatus = v.InferInput<typeof RUN_STATUS>;

const RANKS = v.object({
  device: v.picklist(['cpu', 'cuda']),
  /** Of each node. */
  devices: count,
  nodes: count,
  sharding: v.picklist(SHARDING_CHOICES),
});

const REASON = v.object({
  code: v.string(),
  path: v.optional(v.string()),
  before: v.optional(v.unknown()),
  after: v.optional(v.unknown()),
});
export type Reason = JsonOf<typeof REASON>;

/**
 * Means over preferences: rewards of chosen and rejected answers, how often the chosen one has the higher, and how far
 * the model is from the reference.
 */
const PREFERENCE = v.object({
  chosen: v.optional(figure),
  rejected: v.optional(figure),
  accuracy: v.optional(figure),
  kl: v.optional(figure),
});

/** What a stage reports while it works. */
const STAGE_EVENTS = [
  v.object({
    type: v.literal('stage.progress'),
    stage: v.string(),
    done: figure,
    total: figure,
    unit: v.string(),
    /** What is being done, for people. */
    label: v.optional(v.string()),
    /** Training: one event per optimiser step. */
    step: v.optional(figure),
    epoch: v.optional(figure),
    loss: v.optional(figure),
    learningRate: v.optional(figure),
    gradNorm: v.optional(figure),
    tokensPerSecond: v.optional(figure),
    /** Of preferences. */
    preference: v.optional(PREFERENCE),
    /** Training on several devices: a process per device, and what they share. */
    ranks: v.optional(count),
    sharding: v.optional(v.picklist(SHARDINGS)),
    /** Memory of each device that says how much is used, in bytes: of tensors, and what its allocator holds. */
    memory: v.optional(v.array(v.object({ allocated: figure, reserved: figure }))),
    /** Resident bytes of each rank, where they are on the CPU. */
    resident: v.optional(v.array(figure)),
  }),
  v.object({
    type: v.literal('validation'),
    stage: v.string(),
    step: figure,
    loss: figure,
    best: v.boolean(),
    /** Of the answers to rows of the validation, or of preferences, by metric. */
    metrics: v.optional(record(figure)),
    /**
     * Where that is watched: the share of what they say that they have said before, that of the references, and whether
     * it is too much.
     */
    repetition: v.optional(v.object({ share: figure, usual: figure, tooMuch: v.boolean() })),
  }),
  v.object({ type: v.literal('checkpoint.saved'), stage: v.string(), step: figure, path: v.string() }),
  v.object({ type: v.literal('recovery'), stage: v.string(), cause: v.string(), change: anyObject }),
  v.object({ type: v.literal('note'), stage: v.string(), text: v.string() }),
] as const;
export type StageEvent = JsonOf<(typeof STAGE_EVENTS)[number]>;

const FINISHED = {
  kind: KIND,
  status: STAGE_STATUS,
  /** Its status is `failed` because someone ended the run; it resumes from its checkpoint. */
  interrupted: v.optional(v.literal(true)),
  seconds: figure,
  peakMemoryBytes: figure,
  outputs: record(v.string()),
  metrics: record(figure),
  /** Stages that keep rows, and train stages that left rows out: those that were not kept, by the reason. */
  dropped: v.optional(record(figure)),
};
const STAGE_SUMMARY = v.object({ name: v.string(), ...FINISHED });
export type StageSummary = JsonOf<typeof STAGE_SUMMARY>;

/** One of several machines: its number, from 0, of how many, and where they meet. */
const NODE = { node: count, nodes: count, rendezvous: v.string() };

export const RUN_EVENT = v.variant('type', [
  ...STAGE_EVENTS,
  v.object({
    type: v.literal('run.started'),
    version: version(1),
    runId: v.string(),
    pipeline: v.string(),
    engine: v.string(),
    runtime: v.string(),
    /** Of the accelerate engine: where its ranks are, and the sharding that was asked for. */
    ranks: v.optional(RANKS),
    ftpc: v.string(),
    /** `-p name=value` as typed; secrets are no parameters. */
    params: v.optional(record(v.string())),
    /** What git has checked out where the pipeline is, and whether a file of the pipeline differs from that. */
    commit: v.optional(v.object({ id: v.string(), changed: v.boolean() })),
  }),
  v.object({
    type: v.literal('stage.started'),
    stage: v.string(),
    kind: KIND,
    action: ACTION,
    reasons: v.array(REASON),
    /** Of the output, and what it is a digest of: two runs differ where these do, also where a stage failed. */
    key: v.string(),
    parts: record(v.string()),
  }),
  v.object({
    /** Another process makes the same output: this run waits, and then finds it in the store. */
    type: v.literal('stage.waiting'),
    stage: v.string(),
    key: v.string(),
    /** Who; `stage` is what it is called there, `since` ISO 8601 by the clock of that machine. */
    holder: v.object({
      user: v.string(),
      host: v.string(),
      pid: v.number(),
      cwd: v.string(),
      runId: v.string(),
      stage: v.string(),
      since: v.string(),
    }),
  }),
  v.object({ type: v.literal('stage.finished'), stage: v.string(), ...FINISHED }),
  /** Another process asked for it: the stage saves what it can, and the run ends. `by`: who, as `user@host`. */
  v.object({ type: v.literal('run.stopping'), by: v.string() }),
  v.object({
    type: v.literal('retry'),
    stage: v.string(),
    /** Of the diagnostic that ended the stage, and what it says. */
    code: v.string(),
    cause: v.string(),
    /** From 1, of `retries`. */
    attempt: figure,
    retries: figure,
    /** How long is waited first. */
    pauseSeconds: figure,
  }),
  v.object({
    /** All trials of a search that go on have trained up to a rung. */
    type: v.literal('search.rung'),
    search: v.string(),
    /** From 1, of `rungs`. */
    rung: count,
    rungs: count,
    /** Validation losses there. */
    trials: v.array(v.object({ stage: v.string(), step: figure, loss: figure })),
    /** Trainings that end here. */
    ended: v.array(v.string()),
  }),
  v.object({
    /** All trials of a search are over. */
    type: v.literal('search.decided'),
    search: v.string(),
    /** `quality.rouge_l` */
    by: v.string(),
    higherIsBetter: v.boolean(),
    /** The place of the best among the trials, from 0; left out where none can win. */
    winner: v.optional(count),
    trials: v.array(
      v.object({
        at: anyObject,
        end: v.picklist(['done', 'ended', 'failed', 'gate_closed']),
        value: v.nullable(v.number()),
        /** Validation losses at the rungs that it reached. */
        losses: v.array(figure),
      }),
    ),
  }),
  v.object({
    /** A machine that is not node 0 looks for the run of node 0, whose journal has the progress. */
    type: v.literal('node.waiting'),
    ...NODE,
    /** The store that both have to share; absolute. */
    store: v.string(),
    /** How long it has waited, and how long it will. */
    seconds: figure,
    limit: figure,
  }),
  /** It has found that run. */
  v.object({ type: v.literal('node.found'), ...NODE, runId: v.string() }),
  /** That run is over, and this one with it. */
  v.object({ type: v.literal('node.ended'), ...NODE, runId: v.string(), status: RUN_STATUS }),
  v.looseObject({ type: v.literal('diagnostic') }),
  v.object({
    type: v.literal('run.finished'),
    status: RUN_STATUS,
    seconds: figure,
    stages: v.array(STAGE_SUMMARY),
  }),
]);
export type RunEvent = JsonOf<typeof RUN_EVENT>;
