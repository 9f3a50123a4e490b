/**
 * What an adapter's factors add to embedded tokens, and their gradients: of A `[rank, vocabulary]` only the columns of the tokens
 * at hand are read. Where the runtime computes on the host, they are taken out and put back there; elsewhere by the graphs.
 */
import { onHost } from '../../tensor/memory.js';
import type { HostTensor, Tensor } from '../../tensor/types.js';
import { type AdaptedOuter, adaptedOuterOf, outerFactors, outerTensors } from '../adapters/outer.js';
import { blueprintOf, type NamedShape } from '../architectures/index.js';
import { embeddingFactorGraphs } from './graphs.js';
import type { DecoderResources } from './resources.js';

export interface EmbeddingFactors {
  /** Adds what they make of each id to its row of `embedded` `[ids, hidden]`. */
  add(ids: Int32Array, embedded: Tensor): Promise<void>;
  /** Adds up their gradients, by way of that of the embedded tokens. */
  addGradients(ids: Int32Array, gradient: Tensor): Promise<void>;
}

/** `ready`: an adapter's tensor as graphs read it. */
export function embeddingFactors(
  resources: DecoderResources,
  ready: (tensor: NamedShape) => Tensor | undefined,
): EmbeddingFactors | undefined {
  const { config, adapter } = resources.options;
  const layer = adaptedOuterOf(config, adapter?.config, 'embedding');
  if (layer === undefined) return undefined;
  const [down, up] = outerTensors(layer).map((tensor) => ready(tensor));
  if (down === undefined || up === undefined)
    throw new RangeError(`the adapter has no factors of ${layer.path}`);
  return new Factors(resources, layer, { down, up });
}

class Factors implements EmbeddingFactors {
  private readonly isHost: boolean;

  constructor(
    private readonly resources: DecoderResources,
    private readonly layer: AdaptedOuter,
    private readonly values: { readonly down: Tensor; readonly up: Tensor },
  ) {
    this.isHost = resources.options.runtime.memory.isHost;
  }

  async add(ids: Int32Array, embedded: Tensor): Promise<void> {
    const graph = await this.graph('forward', ids.length);
    await graph.run({ x: embedded, ...this.read(ids), up: this.values.up }, { y: embedded });
  }

  async addGradients(ids: Int32Array, gradient: Tensor): Promise<void> {
    const { buffers, host, parameters } = this.resources;
    const { down, up } = outerFactors(this.layer);
    const totals = { down: parameters.gradientTensors.get(down), up: parameters.gradientTensors.get(up) };
    if (totals.down === undefined || totals.up === undefined) return;
    const graph = await this.graph('backward', ids.length);
    const given = { dy: gradient, ...this.read(ids), up: this.values.up, 'total.up': totals.up };
    if (this.isHost) {
      const dlow = buffers.floats('embedding.dlow', [ids.length, this.layer.branch.rank]);
      await graph.run(given, { dlow, 'grad.up': totals.up });
      this.putBack(ids, onHost(dlow), onHost(totals.down));
      return;
    }
    const counts = host.floats('embedding.counts', [ids.length, 1]);
    for (const [row, id] of ids.entries()) counts.data[row] = this.isFrozen(id) ? 0 : 1;
    await graph.run(
      { ...given, counts, 'total.down': totals.down },
      { 'grad.up': totals.up, 'grad.down': totals.down },
    );
  }

  private graph(role: 'forward' | 'backward', tokens: number) {
    const { compiled, graphs } = this.resources;
    return compiled.get(
      `embedding factors ${role} ${tokens}`,
      () => embeddingFactorGraphs(graphs, this.layer, { tokens, gathers: !this.isHost })[role],
    );
  }

  /** The columns of A of these tokens, as rows, or all of A with their numbers. */
  private read(ids: Int32Array): Readonly<Record<string, Tensor>> {
    const { buffers, host } = this.resources;
    if (!this.isHost) {
      const tensor: HostTensor = host.tensor('embedding.ids', { dtype: 'i32', shape: [ids.length] });
      (tensor.data as Int32Array).set(ids);
      return { down: this.values.down, ids: tensor };
    }
    const { rank } = this.layer.branch;
    const low = onHost(buffers.floats('embedding.low', [ids.length, rank]));
    const [target, source] = [low.data as Float32Array, onHost(this.values.down).data as Float32Array];
    for (const [row, id] of ids.entries())
      for (let k = 0; k < rank; k++) target[row * rank + k] = source[k * this.layer.inputs + id] ?? 0;
    return { low };
  }

  private putBack(ids: Int32Array, dlow: HostTensor, total: HostTensor): void {
    const { branch, inputs } = this.layer;
    const [target, source] = [total.data as Float32Array, dlow.data as Float32Array];
    for (const [row, id] of ids.entries()) {
      if (this.isFrozen(id)) continue;
      for (let k = 0; k < branch.rank; k++) {
        const at = k * inputs + id;
        target[at] = (target[at] ?? 0) + (source[row * branch.rank + k] ?? 0);
      }
    }
  }

  /** The padding token has no gradient where torch's `padding_idx` is set, which PEFT hands on. */
  private isFrozen(id: number): boolean {
    const { config } = this.resources.options;
    return blueprintOf(config).paddingFrozen && id === config.padTokenId;
  }
}
