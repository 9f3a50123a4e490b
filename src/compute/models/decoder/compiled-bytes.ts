/** What compiled graphs take in the process that has them. */
import { MOST_COMPILED } from './resources.js';

/**
 * A compiled graph beyond those of one shape, and each of its nodes, from its first run on. Measured: 28 steps of the starter's blocks, of
 * as many rows, 0.41, 0.66 and 1.0 MiB each with 39, 60 and 137 nodes (as it is, by LoRA and by DoRA); 60 sessions of rows of 32 to 480
 * tokens 1.05 with 131; of an evaluation 0.16 with 2 and 1.4 with 221; 52 of rows of 480 to 1,792 tokens, whose attention goes in tiles
 * from 1,024 on, 2.4 with 386. Those that were released left 0.05 to 0.2 MiB less, and as many others then took no more.
 */
const SESSION = { bytes: 0.2 * 2 ** 20, node: 6 * 1024 } as const;

/** Some graphs, and the nodes of all of them. */
export interface Graphs {
  readonly count: number;
  readonly nodes: number;
}

/** Bytes of all of them. */
export const graphBytes = ({ count, nodes }: Graphs): number => SESSION.bytes * count + SESSION.node * nodes;

/** Bytes of those that are kept where these are compiled; `most`: as many as a decoder keeps. */
export const compiledBytes = (graphs: Graphs, most = MOST_COMPILED): number =>
  Math.max(0, Math.min(1, most / Math.max(1, graphs.count))) * graphBytes(graphs);
