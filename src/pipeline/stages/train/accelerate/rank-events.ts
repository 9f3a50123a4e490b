/** What ranks say, as events of the stage: those of the embedded engine, with ranks and memory of devices besides. */
import type { DeviceMemory, RankEvent, RankEventOf } from '../../../../compute/accelerate/spec.js';
import { divergenceWatch } from '../../../../compute/training/failures.js';
import type { StepRecord } from '../../../../compute/training/state.js';
import type { StageEvent } from '../../../../language/ir/events.js';
import { stageEvent } from '../stage-events.js';

interface RankListener {
  event(rank: number, event: RankEvent): void;
  /** The rate of the step that was heard of last. */
  rate(): number;
}

export interface ListenerOptions {
  readonly stage: string;
  readonly total: number;
  emit(event: StageEvent): void;
  /** Told of the memory of a device, in bytes, where one says it. */
  usesDevice(bytes: number): void;
  /** The steps of a checkpoint. */
  historyOf(step: number): readonly StepRecord[];
}

export function rankListener({ stage, total, emit, historyOf, usesDevice }: ListenerOptions): RankListener {
  let watch = divergenceWatch([]);
  let world = 1;
  let rate = 0;
  const memory = new Map<number, DeviceMemory>();
  const measured = (rank: number, found: DeviceMemory | null | undefined): void => {
    if (found == null) return;
    memory.set(rank, found);
    usesDevice(found.reserved);
  };
  const note = (text: string): void => emit({ type: 'note', stage, text });
  const take: { readonly [K in RankEvent['event']]: (event: RankEventOf<K>, rank: number) => void } = {
    start(event, rank) {
      if (rank !== 0) return;
      world = event.world;
      note(startLine(event));
      if (event.resumed === null) return;
      watch = divergenceWatch(historyOf(event.resumed));
      note(`resuming from the checkpoint of step ${event.resumed}`);
    },
    step({ event: _, memory: found, rss: __, ...record }, rank) {
      measured(rank, found);
      rate = record.learningRate;
      emit({ ...stageEvent(stage, { type: 'step', record, total }), ...shared(world, memory) });
      const warning = watch(record);
      if (warning !== undefined) note(warning);
    },
    validation: ({ step, loss, best }) => emit(stageEvent(stage, { type: 'validation', step, loss, best })),
    checkpoint: ({ step, path }) => emit(stageEvent(stage, { type: 'checkpoint', step, path })),
    note: ({ text }) => note(text),
    alive: (event, rank) => measured(rank, event.memory),
    done: ({ peak }) => usesDevice(Math.max(0, ...peak.cuda)),
    interrupted: () => {},
    error: () => {},
  };
  return {
    event: (rank, event) => (take[event.event] as (event: RankEvent, rank: number) => void)(event, rank),
    rate: () => rate,
  };
}

/** What a step of several ranks, or on a device, says besides. */
const shared = (ranks: number, memory: ReadonlyMap<number, DeviceMemory>) => ({
  ...(ranks > 1 ? { ranks } : {}),
  ...(memory.size === 0 ? {} : { memory: [...memory].sort(([a], [b]) => a - b).map(([, one]) => one) }),
});

/** Packages whose versions are told. */
const SHOWN = ['torch', 'transformers', 'peft', 'bitsandbytes'] as const;

/** `2 ranks on cpu, fsdp: torch 2.15.0, transformers 5.24.0` */
function startLine({ world, device, sharding, versions }: RankEventOf<'start'>): string {
  const packages = SHOWN.flatMap((name) =>
    versions[name] === undefined ? [] : [`${name} ${versions[name]}`],
  );
  const shares = world === 1 ? '' : `, ${sharding}`;
  return `${world} ${world === 1 ? 'rank' : 'ranks'} on ${device.replace(/:\d+$/, '')}${shares}: ${packages.join(', ')}`;
}
