/** Compiled graphs by what they are for; the least recently used one is released when there are too many. */
import type { CompiledGraph, Graph, Runtime } from '../../tensor/types.js';

/** More than one step of training and one session use at a time, so that none is released in use. */
const LIMIT = 64;

export class CompiledGraphs {
  readonly #known = new Map<string, Promise<CompiledGraph>>();

  constructor(readonly runtime: Runtime) {}

  async get(key: string, build: () => Graph): Promise<CompiledGraph> {
    // the promise is kept, so that layers which ask at the same time share one graph
    const compiled = this.#known.get(key) ?? this.runtime.compile(build());
    // a map keeps the order of insertion: what was used last goes to the end
    this.#known.delete(key);
    this.#known.set(key, compiled);
    for (const [oldest, graph] of this.#known) {
      if (this.#known.size <= LIMIT) break;
      this.#known.delete(oldest);
      await (await graph).release();
    }
    return compiled;
  }

  async release(): Promise<void> {
    for (const graph of this.#known.values()) await (await graph).release();
    this.#known.clear();
  }
}
