/** A head over labels alone: the base is frozen. */
import type { AdapterDefinition } from './definition.js';
import { initWhole, wholeShapes } from './whole.js';

export const head: AdapterDefinition<'head'> = { shapes: wholeShapes, init: initWhole };
