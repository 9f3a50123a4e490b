/** Compiled graphs by what they are for; the least recently used one is released when there are too many. */
import type { CompiledGraph, Graph, Runtime } from '../../tensor/types.js';

/** As many as one step of training and one session mostly use. */
const LIMIT = 64;

export class CompiledGraphs {
  private readonly known = new Map<string, Promise<CompiledGraph>>();
  /** Asked for since {@link begin}. */
  private readonly inUse = new Set<string>();

  constructor(readonly runtime: Runtime) {}

  /** What is asked for from now on stays until the next call, however much it is: a step asks for all before it runs any. */
  begin(): void {
    this.inUse.clear();
  }

  async get(key: string, build: () => Graph): Promise<CompiledGraph> {
    // the promise is kept, so that layers which ask at the same time share one graph
    const known = this.known.get(key);
    const compiled = known ?? this.runtime.compile(build());
    // a map keeps the order of insertion: what was used last goes to the end
    this.known.delete(key);
    this.known.set(key, compiled);
    this.inUse.add(key);
    if (known !== undefined) return compiled;
    for (const [oldest, graph] of this.known) {
      if (this.known.size <= LIMIT || this.inUse.has(oldest)) break;
      this.known.delete(oldest);
      await (await graph).release();
    }
    return compiled;
  }

  async release(): Promise<void> {
    for (const graph of this.known.values()) await (await graph).release();
    this.known.clear();
  }
}
