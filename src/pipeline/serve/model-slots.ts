/** The models that a server has at the moment, by release: how far each is, and how many requests it has. */
import type { ModelState, RoutableModel } from './router.js';

export interface ModelSlot<Model extends RoutableModel> {
  readonly number: number;
  /** Absolute folder of the release. */
  readonly path: string;
  state: ModelState;
  /** Milliseconds since the epoch. */
  since: number;
  requests: number;
  model?: Model;
  problem?: string;
  /** Called when the last request of one that drains has ended. */
  drained?: () => void;
}

export function enter<Model extends RoutableModel>(
  slot: ModelSlot<Model>,
  state: ModelState,
  now: number,
): void {
  slot.state = state;
  slot.since = now;
}

/** A request that a slot has until the function that it returns is called. */
export function take<Model extends RoutableModel>(slot: ModelSlot<Model>): () => void {
  slot.requests++;
  let open = true;
  return () => {
    if (!open) return;
    open = false;
    slot.requests--;
    if (slot.requests === 0) slot.drained?.();
  };
}

/** Waits until it has no request any more, and closes its model. */
export async function drain<Model extends RoutableModel>(slot: ModelSlot<Model>, now: number): Promise<void> {
  enter(slot, 'draining', now);
  await new Promise<void>((resolve) => {
    slot.drained = resolve;
    if (slot.requests === 0) resolve();
  });
  await slot.model?.close();
  slot.model = undefined;
}

/** What a model says of its requests; one that says nothing computes them all. */
export function loadOf(
  model: RoutableModel | undefined,
  requests: number,
): { readonly running: number; readonly waiting: number } {
  const { running, waiting } = model?.load?.() ?? { running: requests, waiting: 0 };
  return { running, waiting };
}
