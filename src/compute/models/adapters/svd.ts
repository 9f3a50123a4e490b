/**
 * The largest singular triplets of a matrix: Golub and Kahan's bidiagonalisation by Lanczos (1965) with every vector
 * made orthogonal to all before it (Simon and Zha 2000), continued until the triplets that are wanted have converged.
 * A few times as many products with the matrix as there are triplets, where a whole decomposition would take one for
 * each row. In float64; the same matrix gives the same bytes.
 */
import { fillNormal } from '../philox.js';

export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** Row-major. */
  readonly data: Float32Array;
}

interface Triplets {
  /** Descending. */
  readonly values: Float64Array;
  /** A left vector of length `rows`, and a right one of length `columns`, for each value. */
  readonly left: readonly Float64Array[];
  readonly right: readonly Float64Array[];
}

/** Residual at which a triplet counts as found, as a fraction of the largest value: float32 has no more digits. */
const TOLERANCE = 1e-9;

/** The `count` largest triplets; at most as many as the matrix has rows or columns. */
export function largestTriplets(matrix: Matrix, count: number): Triplets {
  const { rows, columns } = matrix;
  const forwards = (v: Float64Array): Float64Array => times(matrix, v);
  const backwards = (u: Float64Array): Float64Array => timesTransposed(matrix, u);
  if (rows >= columns)
    return tallTriplets({ rows, columns, times: forwards, timesTransposed: backwards }, count);
  // the basis of the columns is exact once it is whole: columns are the shorter side
  const turned = { rows: columns, columns: rows, times: backwards, timesTransposed: forwards };
  const { values, left, right } = tallTriplets(turned, count);
  return { values, left: right, right: left };
}

/** A matrix by its products. */
interface Operator {
  readonly rows: number;
  readonly columns: number;
  readonly times: (v: Float64Array) => Float64Array;
  readonly timesTransposed: (u: Float64Array) => Float64Array;
}

function tallTriplets(matrix: Operator, count: number): Triplets {
  const most = matrix.columns;
  const wanted = Math.min(count, most);
  const basis = new Bidiagonalisation(matrix);
  for (let size = Math.min(most, 2 * wanted + 8); ; size = Math.min(most, size + wanted + 8)) {
    while (basis.size < size) basis.extend();
    const small = jacobi(basis.bidiagonal());
    const largest = small.values[0] ?? 0;
    const residual = (index: number): number => basis.rest * Math.abs(small.left[index]?.[size - 1] ?? 0);
    const found = Array.from({ length: wanted }, (_, index) => residual(index));
    if (size < most && found.some((error) => error > TOLERANCE * largest)) continue;
    return {
      values: small.values.slice(0, wanted),
      left: small.left.slice(0, wanted).map((weights) => combine(basis.left, weights, matrix.rows)),
      right: small.right.slice(0, wanted).map((weights) => combine(basis.right, weights, matrix.columns)),
    };
  }
}

/** Orthonormal vectors between which the matrix is upper bidiagonal. */
class Bidiagonalisation {
  readonly left: Float64Array[] = [];
  readonly right: Float64Array[] = [];
  private readonly diagonal: number[] = [];
  private readonly above: number[] = [];
  private next: Float64Array;
  /** Norm of the part of the matrix's image that is not in the basis. */
  rest = 0;

  constructor(private readonly matrix: Operator) {
    this.next = fresh(matrix.columns, 0, []);
  }

  get size(): number {
    return this.left.length;
  }

  extend(): void {
    const { matrix, left, right } = this;
    const v = this.next;
    if (left.length > 0) this.above.push(this.rest);
    right.push(v);
    const u = matrix.times(v);
    const diagonal = orthonormal(u, left, matrix.rows, right.length);
    this.diagonal.push(diagonal);
    left.push(u);
    const next = matrix.timesTransposed(u);
    this.rest = right.length < matrix.columns ? orthonormal(next, right, matrix.columns, -right.length) : 0;
    this.next = next;
  }

  /** `size × size`, by rows. */
  bidiagonal(): readonly Float64Array[] {
    const { size } = this;
    return Array.from({ length: size }, (_, row) => {
      const values = new Float64Array(size);
      values[row] = this.diagonal[row] ?? 0;
      if (row + 1 < size) values[row + 1] = this.above[row] ?? 0;
      return values;
    });
  }
}

/**
 * Takes out of a vector what lies in the others, twice, and makes it one long; gives its length before. One that lies
 * in them altogether gives way to a fresh one, of length 0.
 */
function orthonormal(
  vector: Float64Array,
  others: readonly Float64Array[],
  length: number,
  stream: number,
): number {
  const before = norm(vector);
  project(vector, others);
  const after = norm(vector);
  if (after <= 1e-13 * before || before === 0) {
    vector.set(fresh(length, stream, others));
    return 0;
  }
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] as number) / after;
  return after;
}

function project(vector: Float64Array, others: readonly Float64Array[]): void {
  for (let pass = 0; pass < 2; pass++)
    for (const other of others) {
      const share = dot(vector, other);
      for (let i = 0; i < vector.length; i++)
        vector[i] = (vector[i] as number) - share * (other[i] as number);
    }
}

/** A random direction that is orthogonal to the others. */
function fresh(length: number, stream: number, others: readonly Float64Array[]): Float64Array {
  const values = new Float32Array(length);
  fillNormal(values, 0, `direction ${stream}`, 1);
  const vector = Float64Array.from(values);
  project(vector, others);
  const size = norm(vector);
  // a basis that fills the space leaves nothing
  return size < 1e-9 ? vector.fill(0) : vector.map((value) => value / size);
}

function times({ rows, columns, data }: Matrix, v: Float64Array): Float64Array {
  const out = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    const at = row * columns;
    for (let column = 0; column < columns; column++)
      sum += (data[at + column] as number) * (v[column] as number);
    out[row] = sum;
  }
  return out;
}

function timesTransposed({ rows, columns, data }: Matrix, u: Float64Array): Float64Array {
  const out = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    const factor = u[row] as number;
    const at = row * columns;
    for (let column = 0; column < columns; column++)
      out[column] = (out[column] as number) + factor * (data[at + column] as number);
  }
  return out;
}

/** Singular triplets of a small square matrix, descending, by one-sided Jacobi rotations (Hestenes 1958). */
function jacobi(rows: readonly Float64Array[]): Triplets {
  const size = rows.length;
  // columns of the matrix, which become left vectors times values, and those of the rotations, the right vectors
  const columns = Array.from({ length: size }, (_, column) =>
    Float64Array.from({ length: size }, (_unused, row) => rows[row]?.[column] ?? 0),
  );
  const turned = Array.from({ length: size }, (_, column) => {
    const unit = new Float64Array(size);
    unit[column] = 1;
    return unit;
  });
  for (let sweep = 0; sweep < 60; sweep++) {
    let still = true;
    for (let p = 0; p < size; p++)
      for (let q = p + 1; q < size; q++) {
        const [a, b] = [columns[p], columns[q]];
        const [c, d] = [turned[p], turned[q]];
        if (!a || !b || !c || !d) continue;
        const [alpha, beta, gamma] = [dot(a, a), dot(b, b), dot(a, b)];
        if (Math.abs(gamma) <= 1e-15 * Math.sqrt(alpha * beta)) continue;
        still = false;
        const zeta = (beta - alpha) / (2 * gamma);
        const tangent = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const cosine = 1 / Math.hypot(1, tangent);
        rotate(a, b, cosine, cosine * tangent);
        rotate(c, d, cosine, cosine * tangent);
      }
    if (still) break;
  }
  const sized = columns.map((column, index) => ({ value: norm(column), index }));
  sized.sort((a, b) => b.value - a.value || a.index - b.index);
  return {
    values: Float64Array.from(sized, ({ value }) => value),
    left: sized.map(({ value, index }) =>
      (columns[index] ?? new Float64Array(size)).map((part) => (value > 0 ? part / value : 0)),
    ),
    right: sized.map(({ index }) => turned[index] ?? new Float64Array(size)),
  };
}

function rotate(a: Float64Array, b: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    a[i] = cosine * x - sine * y;
    b[i] = sine * x + cosine * y;
  }
}

function combine(vectors: readonly Float64Array[], weights: Float64Array, length: number): Float64Array {
  const out = new Float64Array(length);
  vectors.forEach((vector, index) => {
    const weight = weights[index] ?? 0;
    for (let i = 0; i < length; i++) out[i] = (out[i] as number) + weight * (vector[i] as number);
  });
  return out;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

const norm = (vector: Float64Array): number => Math.sqrt(dot(vector, vector));
