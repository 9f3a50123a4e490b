import type { ModelConfig } from '../types.js';
import { llama } from './llama.js';
import type { Architecture } from './types.js';

/** A new family is one file and one line here. */
export const ARCHITECTURES: Readonly<Record<ModelConfig['architecture'], Architecture>> = { llama };

export { isTarget, loraShapes } from './linear.js';
export type { Architecture, NamedShape, Projection } from './types.js';
