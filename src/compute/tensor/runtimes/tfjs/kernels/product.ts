/**
 * Products in WGSL: alpha·op(A)·op(B) + C, B in any form that the device holds. One program serves every transposition,
 * as it goes by strides: fewer programs are compiled, and a packed weight is read forward and transposed by the same
 * code. Each sum is added up in one order, so the same inputs give the same bytes.
 */
import type { KernelFunction } from '../library.js';
import { FORMS, type Form, formOf } from './forms.js';
import { FORM_KERNEL } from './kernel-names.js';
import { intoOf, named, runProgram, type WebGpuBackend } from './shader.js';

/** Rows and columns of a tile, which a workgroup of 8 × 8 threads computes, 4 × 4 each. */
const TILE = 32;
/** Steps of the sum that are in the workgroup's memory at a time. */
const DEPTH = 16;

const UNIFORMS = [
  'rows',
  'columns',
  'depth',
  'aBatch',
  'aRow',
  'aDepth',
  'bBatch',
  'bDepth',
  'bColumn',
  'aFirst',
  'width',
  'firstColumn',
] as const;

/** What the lowering says about a product. */
export interface ProductAttributes {
  /** `[batch, rows, columns]` of what is computed. */
  readonly shape: readonly [number, number, number];
  readonly depth: number;
  /** Columns of the result, and where among them those lie that are computed. */
  readonly width: number;
  readonly firstColumn: number;
  /** Of op(A): rows and columns, and where those begin that are read. */
  readonly whole: readonly [number, number];
  readonly firstRow: number;
  readonly firstDepth: number;
  readonly transA: boolean;
  readonly transB: boolean;
  readonly alpha: number;
  /** Whether it is added to what lies there. */
  readonly sums?: boolean;
}

const elements = TILE * DEPTH;

/** `added` is what is added to the product, an expression. */
const code = (form: Form, added: string): string => `
${form.declarations}
var<workgroup> left : array<array<f32, ${TILE}>, ${DEPTH}>;
var<workgroup> right : array<array<f32, ${TILE}>, ${DEPTH}>;

fn main() {
  let batch = i32(workgroupId.z);
  let row0 = i32(workgroupId.y) * ${TILE};
  let column0 = i32(workgroupId.x) * ${TILE};
  let x = 4 * i32(localId.x);
  let y = 4 * i32(localId.y);
  var sums : array<vec4<f32>, 4>;
  for (var depth0 = 0; depth0 < uniforms.depth; depth0 += ${DEPTH}) {
    for (var at = i32(localIndex); at < ${elements}; at += 64) {
      // neighbouring threads read neighbouring elements, however the matrices lie
      let aK = select(at / ${TILE}, at % ${DEPTH}, uniforms.aDepth == 1);
      let aI = select(at % ${TILE}, at / ${DEPTH}, uniforms.aDepth == 1);
      var value = 0.0;
      if (row0 + aI < uniforms.rows && depth0 + aK < uniforms.depth) {
        value = a[uniforms.aFirst + batch * uniforms.aBatch + (row0 + aI) * uniforms.aRow + (depth0 + aK) * uniforms.aDepth];
      }
      left[aK][aI] = value;
      let bK = select(at / ${TILE}, at % ${DEPTH}, uniforms.bDepth == 1);
      let bJ = select(at % ${TILE}, at / ${DEPTH}, uniforms.bDepth == 1);
      value = 0.0;
      if (column0 + bJ < uniforms.columns && depth0 + bK < uniforms.depth) {
        value = valueAt(batch * uniforms.bBatch + (depth0 + bK) * uniforms.bDepth + (column0 + bJ) * uniforms.bColumn);
      }
      right[bK][bJ] = value;
    }
    workgroupBarrier();
    for (var k = 0; k < ${DEPTH}; k++) {
      let b4 = vec4<f32>(right[k][x], right[k][x + 1], right[k][x + 2], right[k][x + 3]);
      for (var i = 0; i < 4; i++) {
        sums[i] += left[k][y + i] * b4;
      }
    }
    workgroupBarrier();
  }
  for (var i = 0; i < 4; i++) {
    for (var j = 0; j < 4; j++) {
      if (row0 + y + i < uniforms.rows && column0 + x + j < uniforms.columns) {
        let at = (batch * uniforms.rows + row0 + y + i) * uniforms.width + uniforms.firstColumn + column0 + x + j;
        result[at] = uniforms.alpha * sums[i][j]${added};
      }
    }
  }
}`;

export const product: KernelFunction<WebGpuBackend> = ({ inputs, attrs: attributes, backend }) => {
  const given = attributes as unknown as ProductAttributes;
  const { shape, depth, whole, width, firstRow, firstColumn, firstDepth, transA, transB } = given;
  const [batch, rows, columns] = shape;
  const form = formOf(attributes);
  const [aRow, aDepth] = transA ? [1, whole[0]] : [whole[1], 1];
  const numbers: Readonly<Record<(typeof UNIFORMS)[number], number>> = {
    rows,
    columns,
    depth,
    aRow,
    aDepth,
    width,
    firstColumn,
    aBatch: whole[0] * whole[1],
    aFirst: firstRow * aRow + firstDepth * aDepth,
    bBatch: depth * columns,
    bDepth: transB ? 1 : columns,
    bColumn: transB ? depth : 1,
  };
  const isAdded = inputs['addend'] !== undefined;
  const added = isAdded ? ' + addend[at]' : given.sums === true ? ' + result[at]' : '';
  const names = ['a', ...FORMS[form].inputs, ...(isAdded ? ['addend'] : [])];
  const into = intoOf(backend, inputs);
  return runProgram(backend, {
    name: `${FORM_KERNEL.product} ${form}${added}`,
    inputs: named(FORM_KERNEL.product, names, inputs),
    shape: into?.shape ?? [batch, rows, width],
    uniforms: [
      ...UNIFORMS.map((name) => ({ name, type: 'i32' as const, value: numbers[name] })),
      { name: 'alpha', type: 'f32', value: given.alpha },
    ],
    workgroup: [8, 8, 1],
    layout: { x: [0], y: [0], z: [0] },
    groups: [Math.ceil(columns / TILE), Math.ceil(rows / TILE), batch],
    code: code(FORMS[form], added),
    ...(into && { over: into }),
  });
};
