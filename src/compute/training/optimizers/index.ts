import { adafactor } from './adafactor.js';
import { adamw } from './adamw.js';
import { adamw8bit } from './adamw8bit.js';
import { lion } from './lion.js';
import type { Rule } from './optimizer.js';
import { sgd } from './sgd.js';

/** By their names in the language. A new optimiser is one file, a line here and its arguments in the function table. */
export const OPTIMIZERS = { adamw, adamw8bit, adafactor, lion, sgd } as const satisfies Record<string, Rule>;

export type OptimizerName = keyof typeof OPTIMIZERS;

export const isOptimizerName = (name: string): name is OptimizerName => Object.hasOwn(OPTIMIZERS, name);

export { offloading, residentBytes, type StateOffload, workspaceBytes } from './offloaded-state.js';
export * from './optimizer.js';
