/**
 * Products with matrices of codes, which ONNX Runtime's `MatMulNBits` reads as they are and multiplies in float32. What lies
 * next to the codes is added: x·Wᵀ = Σ digits x·(scale·(code − zero))ᵀ + (sums of x over each block)·offsetsᵀ.
 */
import { flag, number } from '../../attributes.js';
import type { CodeMatrix, FixedTensors, Graph, Node, ValueId } from '../../types.js';
import { zerosBytes } from './coded-sizes.js';
import { ELEMENT, initializerMessage, largeInitializerMessage, type OnnxNode, UINT8 } from './model.js';

const MICROSOFT = 'com.microsoft';
const BITS = 4;

export type ProductNodes = ReadonlyMap<Node, readonly OnnxNode[]>;

interface CodedProducts {
  /** What takes the place of each product. */
  readonly nodes: ProductNodes;
  readonly initializers: readonly Uint8Array[];
}

/** `undefined` if a matrix of codes is used otherwise than as the second factor, transposed. */
export function codedProducts(
  graph: Graph,
  fixed: FixedTensors,
  nameOf: (value: ValueId) => string,
): CodedProducts | undefined {
  const matrices = new Map<ValueId, CodeMatrix>();
  for (const { name, value } of graph.inputs) {
    const tensor = fixed.get(name);
    if (tensor !== undefined && 'form' in tensor) matrices.set(value, tensor);
  }
  const groups = productsByFactor(graph, matrices);
  if (groups === undefined) return undefined;
  const writer = new ProductWriter(nameOf);
  for (const group of groups) writer.add(group);
  return writer;
}

interface Product {
  readonly node: Node;
  readonly x: ValueId;
  readonly matrix: CodeMatrix;
}

/** Products of the same x with matrices that are made alike are one. */
function productsByFactor(
  { nodes }: Graph,
  matrices: ReadonlyMap<ValueId, CodeMatrix>,
): readonly (readonly Product[])[] | undefined {
  const groups = new Map<string, Product[]>();
  for (const node of nodes) {
    const coded = node.inputs.filter((input) => matrices.has(input));
    if (coded.length === 0) continue;
    const [x, second] = node.inputs;
    const matrix = second === undefined ? undefined : matrices.get(second);
    const { attributes } = node;
    const isPlain =
      node.op === 'matmul' &&
      coded.length === 1 &&
      flag(attributes, 'transB') &&
      !flag(attributes, 'transA') &&
      number(attributes, 'alpha') === 1;
    if (!isPlain || x === undefined || matrix === undefined) return undefined;
    const key = `${x} ${matrix.block} ${matrix.digits.map(({ zero }) => zero).join()} ${matrix.offsets !== undefined}`;
    groups.set(key, [...(groups.get(key) ?? []), { node, x, matrix }]);
  }
  return [...groups.values()];
}

/** Matrices that are made alike and have as many columns, one under the other. */
interface Stack {
  readonly rows: number;
  readonly columns: number;
  readonly block: number;
  readonly digits: readonly {
    readonly codes: readonly Uint8Array[];
    readonly scales: readonly Float32Array[];
    readonly zero: number;
  }[];
  readonly offsets?: readonly Float32Array[];
}

function stackOf(matrices: readonly CodeMatrix[]): Stack {
  const [first] = matrices;
  const digitOf = (index: number) => matrices.flatMap(({ digits }) => digits[index] ?? []);
  return {
    rows: matrices.reduce((sum, { shape: [rows = 0] }) => sum + rows, 0),
    columns: first?.shape[1] ?? 0,
    block: first?.block ?? 1,
    digits: (first?.digits ?? []).map(({ zero }, index) => ({
      zero,
      codes: digitOf(index).map(({ codes }) => codes),
      scales: digitOf(index).map(({ scales }) => scales),
    })),
    ...(first?.offsets && { offsets: matrices.flatMap(({ offsets }) => offsets ?? []) }),
  };
}

class ProductWriter implements CodedProducts {
  readonly nodes = new Map<Node, readonly OnnxNode[]>();
  readonly initializers: Uint8Array[] = [];
  private products = 0;
  /** Names of the sums of each x over blocks of a size. */
  private readonly sums = new Map<string, string>();

  constructor(private readonly nameOf: (value: ValueId) => string) {}

  add(group: readonly Product[]): void {
    const [first] = group;
    if (first === undefined) return;
    const name = `%product${this.products++}`;
    const outputs = group.map(({ node }) => this.nameOf(node.outputs[0] ?? 0));
    const [only = name] = outputs;
    const whole = outputs.length === 1 ? only : name;
    const stack = stackOf(group.map(({ matrix }) => matrix));
    const made = this.product(name, first.x, stack, whole);
    const sizes = group.map(({ matrix }) => matrix.shape[0] ?? 0);
    if (outputs.length > 1) made.push(this.split(name, whole, outputs, sizes));
    group.forEach(({ node }, index) => {
      this.nodes.set(node, index === 0 ? made : []);
    });
  }

  private product(name: string, x: ValueId, stack: Stack, output: string): OnnxNode[] {
    const nodes: OnnxNode[] = [];
    const add = (before: string | undefined, digit: string, sum: string): string => {
      if (before === undefined) return digit;
      nodes.push({ type: 'Add', inputs: [before, digit], outputs: [sum] });
      return sum;
    };
    const { digits, offsets } = stack;
    const last = digits.length - 1;
    let sum: string | undefined;
    digits.forEach((digit, index) => {
      const isOnly = last === 0 && offsets === undefined;
      const own = isOnly ? output : `${name}.${index}`;
      nodes.push(this.digit(name, x, stack, digit, index, own));
      sum = add(sum, own, index === last && offsets === undefined ? output : `${name}.sum${index}`);
    });
    if (offsets !== undefined && sum !== undefined) nodes.push(...this.offsets(name, x, stack, sum, output));
    return nodes;
  }

  private digit(
    name: string,
    x: ValueId,
    { rows, columns, block }: Stack,
    { codes, scales, zero }: Stack['digits'][number],
    index: number,
    output: string,
  ): OnnxNode {
    const blocks = columns / block;
    const [ofCodes, ofScales, ofZeros] = ['codes', 'scales', 'zeros'].map(
      (part) => `${name}.${part}${index}`,
    );
    const inputs = [this.nameOf(x), ofCodes ?? '', ofScales ?? ''];
    this.large(ofCodes ?? '', UINT8, [rows, blocks, (block * BITS) / 8], codes);
    this.large(ofScales ?? '', ELEMENT.f32, [rows, blocks], scales);
    const width = zerosBytes(zero, blocks);
    if (width > 0) {
      inputs.push(ofZeros ?? '');
      this.large(ofZeros ?? '', UINT8, [rows, width], [new Uint8Array(rows * width).fill(zero * 17)]);
    }
    const attributes = {
      K: { int: columns },
      N: { int: rows },
      bits: { int: BITS },
      block_size: { int: block },
    };
    return { type: 'MatMulNBits', domain: MICROSOFT, inputs, outputs: [output], attributes };
  }

  /** Adds what x gives with the offsets to `before`. */
  private offsets(
    name: string,
    x: ValueId,
    { rows, columns, block, offsets = [] }: Stack,
    before: string,
    output: string,
  ): OnnxNode[] {
    const blocks = columns / block;
    const key = `${x} ${block}`;
    const known = this.sums.get(key);
    const sums = known ?? `%sums${this.sums.size}`;
    this.sums.set(key, sums);
    this.large(`${name}.offsets`, ELEMENT.f32, [blocks, rows], [transposed(offsets, rows, blocks)]);
    const product: OnnxNode = {
      ...{ type: 'Gemm', inputs: [sums, `${name}.offsets`, before], outputs: [output] },
    };
    if (known !== undefined) return [product];
    const cut = `${sums}.blocks`;
    return [
      {
        type: 'Reshape',
        inputs: [this.nameOf(x), this.list(`${sums}.shape`, [-1, blocks, block])],
        outputs: [cut],
      },
      {
        ...{ type: 'ReduceSum', inputs: [cut, this.list(`${sums}.axes`, [2])], outputs: [sums] },
        attributes: { keepdims: { int: 0 } },
      },
      product,
    ];
  }

  private split(name: string, whole: string, outputs: readonly string[], sizes: readonly number[]): OnnxNode {
    const inputs = [whole, this.list(`${name}.sizes`, sizes)];
    return { type: 'Split', inputs, outputs, attributes: { axis: { int: -1 } } };
  }

  private list(name: string, values: readonly number[]): string {
    const data = BigInt64Array.from(values, (value) => BigInt(value));
    this.initializers.push(initializerMessage(name, { dtype: 'i64', shape: [values.length] }, data));
    return name;
  }

  private large(...initializer: Parameters<typeof largeInitializerMessage>): void {
    this.initializers.push(...largeInitializerMessage(...initializer));
  }
}

/** Matrices of `blocks` columns with `rows` rows in all, one under the other, as `[blocks, rows]`: a few rows times it are whole rows of it. */
function transposed(matrices: readonly Float32Array[], rows: number, blocks: number): Float32Array {
  const turned = new Float32Array(rows * blocks);
  let row = 0;
  for (const matrix of matrices)
    for (let at = 0; at < matrix.length; row++)
      for (let block = 0; block < blocks; block++) turned[block * rows + row] = matrix[at++] as number;
  return turned;
}
