/**
 * Which stages may run at once, and how long a run then takes. The scheduler asks with what really happens, the plan with
 * planned times: what may start is decided in one place.
 */

/** A stage as far as others that run next to it are concerned. */
export interface StageLoad {
  readonly name: string;
  /** Of its output: what two stages would both make is made once. */
  readonly key: string;
  /** Stages that have to be over before it begins. */
  readonly after: readonly string[];
  /** Bytes of its process at most, as planned; infinite where nothing is known. */
  readonly memoryBytes: number;
  /** It computes with tensors, on the device if there is one. */
  readonly computes: boolean;
}

/** What the stages of a run share. */
export interface Capacity {
  /** Stages at once, at most. */
  readonly stages: number;
  /** Bytes, for all processes of stages together. */
  readonly memoryBytes: number;
  /** Tensors are on a device, which takes one stage at a time. */
  readonly hasDevice: boolean;
}

/**
 * Those of `ready` that start now, next to those that run. The order is that of the plan, and what does not fit is passed
 * over. A stage that fits nowhere next to others runs alone.
 */
export function startNow<T extends StageLoad>(
  ready: readonly T[],
  running: readonly StageLoad[],
  capacity: Capacity,
): readonly T[] {
  const started: T[] = [];
  for (const load of ready) {
    if (running.length + started.length >= capacity.stages) break;
    if (mayStart(load, [...running, ...started], capacity)) started.push(load);
  }
  return started;
}

function mayStart(load: StageLoad, others: readonly StageLoad[], capacity: Capacity): boolean {
  if (others.length === 0) return true;
  const memory = others.reduce((sum, { memoryBytes }) => sum + memoryBytes, load.memoryBytes);
  return (
    memory <= capacity.memoryBytes &&
    others.every(({ key }) => key !== load.key) &&
    !(capacity.hasDevice && load.computes && others.some(({ computes }) => computes))
  );
}

/** What a stage took from when to when. */
export interface Usage {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

/** The most that stages took at once: each counts with its own peak for as long as it ran. */
export function peakAtOnce(usages: readonly Usage[]): number {
  const at = (time: number): number =>
    usages.reduce((sum, { from, to, bytes }) => sum + (from <= time && time < to ? bytes : 0), 0);
  // what took no time was there all the same
  return Math.max(0, ...usages.map(({ from, bytes }) => Math.max(bytes, at(from))));
}
