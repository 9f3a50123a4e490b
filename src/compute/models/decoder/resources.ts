import type { Buffers, HostBuffers } from './buffers.js';
import type { CompiledGraphs } from './compiled-graphs.js';
import type { GraphOptions } from './graphs.js';
import type { Parameters } from './parameters.js';
import type { DecoderOptions } from './types.js';

/** What all of a decoder shares: its options, its memory, its compiled graphs, and what it trains. */
export interface DecoderResources {
  readonly options: DecoderOptions;
  readonly graphs: GraphOptions;
  readonly compiled: CompiledGraphs;
  /** In the memory of the runtime. */
  readonly buffers: Buffers;
  readonly host: HostBuffers;
  readonly parameters: Parameters;
}
