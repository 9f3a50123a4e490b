import type { Optimizer } from './optimizers/index.js';

/** What a step does with its gradients once they are added up, on the host or where they lie. */
export interface Updater extends Pick<Optimizer, 'state'> {
  /** Global L2 norm of the gradients. */
  norm(): Promise<number>;
  /** Step `step` (from 1), as {@link Optimizer}'s. */
  update(step: number, rate: number, gradientScale: number): Promise<void>;
  /** Brings parameters and optimiser state to the host, where `state` and the decoder's `parameters` can be read. */
  collect(): Promise<void>;
  /** Lets go of the copy of the state that {@link collect} has made: whoever wanted it has taken it. */
  forget(): void;
  release(): Promise<void>;
}
