/** The nodes that lowerings and packings share. Each adds to a function, and gives the reference to its output. */
import type { Shape } from '../../shape.js';
import type { TensorFlowAttribute, TensorFlowType } from './messages.js';

export type NodeAttributes = Readonly<Record<string, TensorFlowAttribute>>;

export interface NodeContext {
  /** Adds a node, which runs after those before it, and gives the reference to its output; `output` is the name that TensorFlow's registry has for it. */
  readonly node: (
    op: string,
    output: string,
    inputs: readonly string[],
    attributes?: NodeAttributes,
  ) => string;
  /** A constant list of int32, or a table of them where a shape is given. */
  readonly ints: (values: readonly number[], shape?: Shape) => string;
  /** A constant int32. */
  readonly int: (value: number) => string;
  /** A constant f32. */
  readonly scalar: (value: number) => string;
}

export const FLOAT: TensorFlowAttribute = { type: 'f32' };
export const INDEX: TensorFlowAttribute = { type: 'i32' };

export const binary = (
  c: Pick<NodeContext, 'node'>,
  op: 'AddV2' | 'Sub' | 'Mul',
  x: string,
  y: string,
): string => c.node(op, 'z', [x, y], { T: FLOAT });

export const cast = (
  c: Pick<NodeContext, 'node'>,
  value: string,
  from: TensorFlowType,
  to: TensorFlowType,
): string =>
  c.node('Cast', 'y', [value], { SrcT: { type: from }, DstT: { type: to }, Truncate: { flag: false } });

export const reshaped = (c: NodeContext, value: string, shape: Shape, type: TensorFlowType = 'f32'): string =>
  c.node('Reshape', 'output', [value, c.ints(shape)], { T: { type }, Tshape: INDEX });

export const sliced = (
  c: NodeContext,
  value: string,
  from: Shape,
  size: Shape,
  type: TensorFlowType = 'f32',
): string => c.node('Slice', 'output', [value, c.ints(from), c.ints(size)], { T: { type }, Index: INDEX });

export const concatenated = (
  c: NodeContext,
  parts: readonly string[],
  axis: number,
  type: TensorFlowType = 'f32',
): string =>
  c.node('ConcatV2', 'output', [...parts, c.int(axis)], {
    N: { int: parts.length },
    T: { type },
    Tidx: INDEX,
  });

/** What indices name along an axis; the first `batch` axes of both are looked up side by side. */
export const gathered = (
  c: NodeContext,
  data: string,
  indices: string,
  type: TensorFlowType,
  [axis, batch]: readonly [number, number] = [0, 0],
): string =>
  c.node('GatherV2', 'output', [data, indices, c.int(axis)], {
    Tparams: { type },
    Tindices: INDEX,
    Taxis: INDEX,
    batch_dims: { int: batch },
  });
