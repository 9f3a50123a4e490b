/** What ranks say, as events of the stage: those of the embedded engine, with ranks and memory of devices besides. */
import type {
  DeviceMemory,
  RankEvent,
  RankEventOf,
  RankMessage,
} from '../../../../compute/accelerate/spec.js';
import type { AnswersMeasured, StepRecord } from '../../../../compute/training/state.js';
import { lossWatch } from '../../../../compute/training/watch.js';
import type { StageEvent } from '../../../../language/ir/events.js';
import { askedEvent, stageEvent } from '../stage-events.js';

type Tell = (message: RankMessage) => void;

interface RankListener {
  event(rank: number, event: RankEvent, tell: Tell): void;
  /** The rate of the step that was heard of last. */
  rate(): number;
}

interface ListenerOptions {
  readonly stage: string;
  readonly total: number;
  /** Tokens that the model knows. */
  readonly vocabulary: number;
  emit(event: StageEvent): void;
  /** Told of the memory of a device, in bytes, where one says it. */
  usesDevice(bytes: number): void;
  /** The steps of a checkpoint. */
  historyOf(step: number): readonly StepRecord[];
  /** What the answers of a validation with this loss are worth; left out where none are told. */
  measure?(answers: readonly (readonly number[])[], loss: number): AnswersMeasured;
  /** Told what cannot be measured: training is to end. */
  fails?(error: unknown): void;
  /** Told why there is no point in going on. */
  diverges?(why: string, step: number): void;
}

export function rankListener(options: ListenerOptions): RankListener {
  const { stage, total, vocabulary, emit, historyOf, usesDevice, diverges } = options;
  let watch = lossWatch([], vocabulary);
  let start: RankEventOf<'start'> | undefined;
  let rate = 0;
  const answered: (readonly number[])[] = [];
  const memory = new Map<number, DeviceMemory>();
  const resident = new Map<number, number>();
  const measured = (rank: number, found: Pick<RankEventOf<'alive'>, 'memory' | 'rss'>): void => {
    if (found.rss != null) resident.set(rank, found.rss);
    if (found.memory == null) return;
    memory.set(rank, found.memory);
    usesDevice(found.memory.reserved);
  };
  const note = (text: string): void => emit({ type: 'note', stage, text });
  const take: {
    readonly [K in RankEvent['event']]: (event: RankEventOf<K>, rank: number, tell: Tell) => void;
  } = {
    start(event, rank) {
      if (rank !== 0) return;
      start = event;
      note(startLine(event));
      if (event.resumed === null) return;
      watch = lossWatch(historyOf(event.resumed), vocabulary);
      note(`resuming from the checkpoint of step ${event.resumed}`);
    },
    step({ event: _, memory: found, rss, ...record }, rank) {
      measured(rank, { memory: found, rss });
      rate = record.learningRate;
      emit({ ...stageEvent(stage, { type: 'step', record, total }), ...shared({ start, memory, resident }) });
      const { warning, divergence } = watch.look(record);
      if (divergence !== undefined) diverges?.(divergence, record.step);
      if (warning !== undefined) note(warning);
    },
    validation: ({ event: type, ...validation }) => emit(stageEvent(stage, { type, ...validation })),
    answers({ answers, loss, last }, _, tell) {
      answered.push(...answers);
      if (!last) return;
      try {
        const measured = options.measure?.(answered.splice(0), loss);
        if (measured !== undefined) tell({ measured });
      } catch (error) {
        options.fails?.(error);
      }
    },
    reference: ({ done, total: all }) => emit(askedEvent(stage, done, all)),
    checkpoint: ({ step, path }) => emit(stageEvent(stage, { type: 'checkpoint', step, path })),
    note: ({ text }) => note(text),
    alive: (event, rank) => measured(rank, event),
    done: ({ peak }) => usesDevice(Math.max(0, ...peak.cuda)),
    interrupted: () => {},
    error: () => {},
  };
  return {
    event: (rank, event, tell) =>
      (take[event.event] as (event: RankEvent, rank: number, tell: Tell) => void)(event, rank, tell),
    rate: () => rate,
  };
}

interface Ranks {
  readonly start: RankEventOf<'start'> | undefined;
  readonly memory: ReadonlyMap<number, DeviceMemory>;
  readonly resident: ReadonlyMap<number, number>;
}

/** What a step of ranks says besides: on the CPU, they have no memory but that of their processes. */
const shared = ({ start, memory, resident }: Ranks) => ({
  ...(start === undefined || start.world === 1 ? {} : { ranks: start.world, ...sharded(start) }),
  ...(memory.size === 0 ? {} : { memory: inOrder(memory) }),
  ...(memory.size > 0 || resident.size === 0 ? {} : { resident: inOrder(resident) }),
});

const sharded = ({ sharding }: RankEventOf<'start'>) => (sharding === 'none' ? {} : { sharding });

const inOrder = <T>(ofRanks: ReadonlyMap<number, T>): T[] =>
  [...ofRanks].sort(([a], [b]) => a - b).map(([, one]) => one);

/** Packages whose versions are told. */
const SHOWN = ['torch', 'transformers', 'peft', 'bitsandbytes'] as const;

/** `2 ranks on cpu, fsdp: torch 2.15.0, transformers 5.24.0` */
export function startLine({ world, device, sharding, versions }: RankEventOf<'start'>): string {
  const packages = SHOWN.flatMap((name) =>
    versions[name] === undefined ? [] : [`${name} ${versions[name]}`],
  );
  const shares = world === 1 ? '' : `, ${sharding}`;
  return `${world} ${world === 1 ? 'rank' : 'ranks'} on ${device.replace(/:\d+$/, '')}${shares}: ${packages.join(', ')}`;
}
