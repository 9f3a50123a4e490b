/** Tokens as hidden states, and the gradients of the tables that they are looked up in. */

import type { Tensor } from '../../tensor/types.js';
import { PROMPT, promptShape } from '../adapters/prompt.js';
import { blueprintOf, type NamedShape } from '../architectures/index.js';
import type { StoredTensor } from '../types.js';
import type { EmbeddingFactors } from './embedding-factors.js';
import type { MatrixRows, RowSource } from './matrix-rows.js';
import { placesInTexts } from './positions.js';
import type { DecoderResources } from './resources.js';
import type { Batch } from './types.js';

/** The position of each id in its text. */
type PositionLookup = (index: number) => number;

/** Positions of a batch: from `first` on in each text. */
export function positionLookup(
  batch: Pick<Batch, 'length' | 'segments' | 'forks'>,
  first = 0,
): PositionLookup {
  const positions = placesInTexts(batch);
  if (positions === undefined) return (index) => first + (index % batch.length);
  return (index) => first + (positions[index] ?? 0);
}

type EmbeddingResources = Pick<DecoderResources, 'options' | 'parameters'> & { readonly rows: MatrixRows };

export class Embedding {
  private readonly scale: number;

  constructor(
    private readonly shared: EmbeddingResources,
    private readonly tokens: StoredTensor,
    private readonly positions: StoredTensor | undefined,
    /** A table in the memory of the runtime, where it may lie there. */
    private readonly ready: (table: StoredTensor) => Tensor | undefined,
    /** Of an adapter. */
    readonly factors: EmbeddingFactors | undefined,
  ) {
    this.scale = blueprintOf(shared.options.config).embeddingScale;
  }

  /** Writes the embedding of each id, `[ids, hidden]`; `change` may change it before anybody reads it. */
  async write(
    ids: Int32Array,
    placing: PositionLookup,
    out: Tensor,
    change?: (values: Float32Array) => void,
  ): Promise<void> {
    await this.writeTables(ids, placing, out, change);
    await this.factors?.add(ids, out);
  }

  private async writeTables(
    ids: Int32Array,
    placing: PositionLookup,
    out: Tensor,
    change: ((values: Float32Array) => void) | undefined,
  ): Promise<void> {
    const sources = change === undefined ? this.sources(ids, placing) : undefined;
    if (sources !== undefined) return this.shared.rows.sum(sources, out);
    if (this.isTrained()) await this.shared.parameters.onDevice?.collect();
    this.shared.options.runtime.memory.write([out], (data) => {
      this.lookUp(ids, placing, data as Float32Array);
      change?.(data as Float32Array);
    });
  }

  /** Where each row of the result comes from, if the runtime has all the tables on a device of its own. */
  private sources(ids: Int32Array, placing: PositionLookup): readonly RowSource[] | undefined {
    const { options, parameters } = this.shared;
    if (options.runtime.memory.isHost) return undefined;
    const prompt = promptShape(options.config, options.adapter?.config);
    const virtual = prompt?.shape[0] ?? 0;
    const isVirtual = (index: number): boolean => placing(index) < virtual;
    const sources: (Omit<RowSource, 'from'> & { from: Tensor | undefined })[] = [
      {
        from: this.ready(this.tokens),
        places: Array.from(ids, (id, index) => (isVirtual(index) ? null : id)),
        scale: this.scale,
      },
    ];
    const placed = { places: Array.from(ids, (_, index) => placing(index)), scale: 1 };
    if (this.positions !== undefined) sources.push({ from: this.ready(this.positions), ...placed });
    if (prompt !== undefined)
      sources.push({
        from: parameters.valueTensors.get(prompt.name),
        places: placed.places.map((place) => (place < virtual ? place : null)),
        scale: 1,
      });
    return sources.every((source): source is RowSource => source.from !== undefined) ? sources : undefined;
  }

  /** Whether a step changes what is looked up here. */
  private isTrained(): boolean {
    const { options, parameters } = this.shared;
    const prompt = promptShape(options.config, options.adapter?.config);
    return [this.tokens, this.positions, prompt].some(
      (table) => table !== undefined && parameters.values.has(table.name),
    );
  }

  private lookUp(ids: Int32Array, placing: PositionLookup, out: Float32Array): void {
    const width = this.shared.options.config.hiddenSize;
    const tokens = this.rows(this.tokens);
    const prompt = this.shared.options.adapter?.tensors.get(PROMPT)?.data;
    ids.forEach((id, index) => {
      tokens(id, out.subarray(index * width, (index + 1) * width));
    });
    if (this.scale !== 1)
      for (let index = 0; index < out.length; index++) out[index] = (out[index] ?? 0) * this.scale;
    if (prompt !== undefined)
      ids.forEach((_, index) => {
        const place = placing(index) * width;
        if (place < prompt.length) out.set(prompt.subarray(place, place + width), index * width);
      });
    if (this.positions === undefined) return;
    const positions = this.rows(this.positions);
    const added = new Float32Array(width);
    ids.forEach((_, index) => {
      positions(placing(index), added);
      for (let column = 0; column < width; column++)
        out[index * width + column] = (out[index * width + column] ?? 0) + (added[column] ?? 0);
    });
  }

  /** Reads rows of a table, as it is trained or stored. */
  private rows(table: StoredTensor): (row: number, out: Float32Array) => void {
    const width = this.shared.options.config.hiddenSize;
    const values =
      this.shared.parameters.values.get(table.name)?.data ??
      this.shared.options.adapter?.tensors.get(table.name)?.data ??
      table.view();
    return (row, out) => {
      if (values === undefined) table.dequantiseRows(row, 1, out);
      else out.set(values.subarray(row * width, (row + 1) * width));
    };
  }
}

/** Adds the gradient of each embedded token to its row; the padding token's row gets none if torch's `padding_idx` is set. */
export async function addEmbeddingGradient(
  { options, parameters, rows }: EmbeddingResources,
  { ids, ...placed }: Pick<Batch, 'ids' | 'length' | 'segments' | 'forks'>,
  gradient: Tensor,
): Promise<void> {
  const { config } = options;
  const { embedding, embeddingScale, positions, paddingFrozen } = blueprintOf(config);
  const add = async (
    table: NamedShape | undefined,
    scale: number,
    rowOf: (id: number, index: number) => number | null,
  ): Promise<void> => {
    const total = table && parameters.gradientTensors.get(table.name);
    if (total !== undefined) await rows.add(gradient, Array.from(ids, rowOf), scale, total);
  };
  const placing = positionLookup(placed);
  const prompt = promptShape(config, options.adapter?.config);
  const virtual = prompt?.shape[0] ?? 0;
  const isVirtual = (index: number): boolean => placing(index) < virtual;
  await add(embedding, embeddingScale, (id, index) =>
    isVirtual(index) || (paddingFrozen && id === config.padTokenId) ? null : id,
  );
  await add(prompt, 1, (_, index) => (isVirtual(index) ? placing(index) : null));
  await add(positions, 1, (_, index) => placing(index));
}
