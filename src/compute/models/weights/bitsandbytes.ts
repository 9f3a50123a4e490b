/**
 * Weights that bitsandbytes quantised to NF4, as `save_pretrained` writes a model in 4 bits: the codes under the name of
 * the weight, and next to them absmax constants, code tables and JSON (`QuantState.as_dict(packed=True)`).
 */
import type { Host } from '../../../language/host/host.js';
import { sizeOf } from '../../tensor/shape.js';
import { isArray, isObject, JsonError, type JsonValue, parseStrictJson } from '../safetensors/json.js';
import { type LocatedTensor, openTensorSource, type TensorSource } from '../safetensors/read.js';
import { ModelError, type StoredShape } from '../types.js';
import { dequantiseBlocks, floatsOf } from './dequantisation.js';
import { BLOCKS, type BlockFormat, NF4_BLOCK, NF4_NESTED_BLOCK } from './formats.js';
import { ROUNDINGS, type Round } from './half.js';
import { DYNAMIC_CODE, NF4_CODE } from './nf4-codes.js';
import type { Nf4Data } from './nf4-quantise.js';
import { dequantiseNf4, nf4Tensor } from './nf4-tensor.js';
import { blockTensor, type SourceTensor, type WeightSource } from './stored-tensor.js';

const KINDS = ['nf4', 'fp4'] as const;
const MAX_STATE_BYTES = 10_000;
/** Weights of one scale: windows start at a multiple. */
const GROUP = NF4_BLOCK * NF4_NESTED_BLOCK;

/** The tensor of a quantised weight; `undefined` for any other weight. Throws a {@link ModelError}. */
function bitsandbytesTensor(name: string, tensors: TensorSource): SourceTensor | undefined {
  const state = stateOf(name, tensors);
  if (state === undefined) return undefined;
  const parts = new QuantisedParts(name, state, tensors);
  const { shape } = parts;
  const elements = sizeOf(shape);
  return {
    name,
    path: state.file.path,
    shape,
    format: () => (parts.nested === undefined ? 'NF4_SINGLE' : 'NF4'),
    read(start, out) {
      const first = Math.floor(start / GROUP) * GROUP;
      dequantiseNf4(parts.window(first, start + out.length), start - first, out);
      parts.round?.(out);
    },
    load: () => nf4Tensor(name, shape, parts.window(0, elements), parts.round),
  };
}

/** Other kinds of quantisation are refused by what it says. */
const stateOf = (name: string, tensors: TensorSource): LocatedTensor | undefined =>
  KINDS.map((kind) => tensors.get(`${name}.quant_state.bitsandbytes__${kind}`)).find(
    (found) => found !== undefined,
  );

/** The tensors that belong to one weight, checked when they are opened. */
class QuantisedParts {
  readonly shape: readonly number[];
  /** The type that the weight had: bitsandbytes dequantises to it. */
  readonly round: Round | undefined;
  /** The mean that was subtracted from the constants before they were quantised; absent if they are float32. */
  readonly nested: { readonly offset: number } | undefined;
  private readonly codes: LocatedTensor;
  private readonly absmax: LocatedTensor;
  private readonly scales: LocatedTensor | undefined;

  constructor(
    readonly name: string,
    readonly state: LocatedTensor,
    readonly tensors: TensorSource,
  ) {
    const fields = this.readState();
    this.only(fields, 'quant_type', 'nf4');
    this.only(fields, 'blocksize', NF4_BLOCK);
    const shape = fields.get('shape');
    if (!isArray(shape) || !shape.every(isSize)) this.fail('its quant_state has no "shape".');
    this.shape = shape;
    const dtype = fields.get('dtype');
    if (typeof dtype !== 'string' || !isRounding(dtype))
      this.fail(`its quant_state says dtype ${JSON.stringify(dtype ?? null)}.`);
    this.round = ROUNDINGS[dtype];
    const elements = sizeOf(shape);
    const blocks = Math.ceil(elements / NF4_BLOCK);
    this.codes = this.part('', Math.ceil(elements / 2));
    this.sameTable('.quant_map', NF4_CODE);
    const offset = fields.get('nested_offset');
    if (offset === undefined) {
      this.absmax = this.part('.absmax', blocks * 4, 'F32');
      return;
    }
    this.only(fields, 'nested_blocksize', NF4_NESTED_BLOCK);
    this.only(fields, 'nested_dtype', 'float32');
    if (typeof offset !== 'number') this.fail('"nested_offset" of its quant_state is not a number.');
    this.sameTable('.nested_quant_map', DYNAMIC_CODE);
    this.nested = { offset: Math.fround(offset) };
    this.absmax = this.part('.absmax', blocks, 'U8');
    this.scales = this.part('.nested_absmax', Math.ceil(blocks / NF4_NESTED_BLOCK) * 4, 'F32');
  }

  /** Weights `first … end`; `first` is a multiple of a group's. */
  window(first: number, end: number): Nf4Data {
    const blocks = Math.ceil((end - first) / NF4_BLOCK);
    const codes = bytesOf(this.codes, first / 2, Math.ceil((end - first) / 2));
    const from = first / NF4_BLOCK;
    if (this.nested === undefined || this.scales === undefined)
      return { codes, absmax: floatsOf('F32', bytesOf(this.absmax, from * 4, blocks * 4), 0, blocks) };
    const scales = Math.ceil(blocks / NF4_NESTED_BLOCK);
    const raw = bytesOf(this.scales, (from / NF4_NESTED_BLOCK) * 4, scales * 4);
    return {
      codes,
      constants: bytesOf(this.absmax, from, blocks),
      scales: floatsOf('F32', raw, 0, scales),
      offset: this.nested.offset,
    };
  }

  private readState(): ReadonlyMap<string, JsonValue> {
    const { entry } = this.state;
    if (entry.end - entry.begin > MAX_STATE_BYTES) this.fail('its quant_state is too long.');
    try {
      const fields = parseStrictJson(new TextDecoder().decode(this.state.file.read(entry)));
      return isObject(fields) ? fields : this.fail('its quant_state is not an object.');
    } catch (error) {
      if (error instanceof JsonError)
        return this.fail(`its quant_state is not valid JSON: ${error.message}.`);
      throw error;
    }
  }

  private only(fields: ReadonlyMap<string, JsonValue>, field: string, wanted: JsonValue): void {
    const found = fields.get(field);
    if (found !== wanted)
      this.fail(
        `its quant_state says ${field} ${JSON.stringify(found ?? null)}; ${JSON.stringify(wanted)} is read.`,
      );
  }

  /** A part by the end of its name. The codes may be stored as any type of as many bytes. */
  private part(suffix: string, bytes: number, dtype?: string): LocatedTensor {
    const found = this.tensors.get(`${this.name}${suffix}`);
    if (found === undefined) return this.fail(`"${this.name}${suffix}" is missing.`);
    const { begin, end } = found.entry;
    if (end - begin !== bytes || (dtype !== undefined && found.entry.dtype !== dtype))
      return this.fail(
        `"${this.name}${suffix}" has ${end - begin} bytes of ${found.entry.dtype}; the shape asks for ${bytes} of ${dtype ?? 'U8'}.`,
      );
    return found;
  }

  private sameTable(suffix: string, table: Float32Array): void {
    const part = this.part(suffix, table.byteLength, 'F32');
    const found = floatsOf('F32', bytesOf(part, 0, table.byteLength), 0, table.length);
    if (!found.every((value, i) => value === table[i]))
      this.fail(`"${this.name}${suffix}" is not an NF4 table.`);
  }

  private fail(what: string): never {
    throw new ModelError(
      'quantised_invalid',
      this.state.file.path,
      `Weight "${this.name}" in 4 bits can't be read: ${what}`,
      'Save the model again with load_in_4bit and quant type "nf4", or use the one that it was made from.',
    );
  }
}

const isRounding = (dtype: string): dtype is keyof typeof ROUNDINGS => Object.hasOwn(ROUNDINGS, dtype);

const bytesOf = ({ entry, file }: LocatedTensor, start: number, length: number): Uint8Array =>
  file.read(entry, start, length);

const isSize = (value: JsonValue): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** What safetensors calls the formats that it can hold. */
const READABLE: ReadonlySet<string> = new Set<BlockFormat>(['F32', 'F16', 'BF16']);

/** Whether a tensor is of floats that can be read, or of codes that mean some. */
export const isReadable = (name: string, tensors: TensorSource): boolean =>
  READABLE.has(tensors.get(name)?.entry.dtype ?? '') || stateOf(name, tensors) !== undefined;

/** A tensor of a safetensors file. */
export function safetensorsTensor({ entry, file }: LocatedTensor): SourceTensor {
  const { name, shape } = entry;
  const format = (): BlockFormat => {
    if (READABLE.has(entry.dtype)) return entry.dtype as BlockFormat;
    throw new ModelError(
      'model_weights',
      file.path,
      `Tensor "${name}" is of type ${entry.dtype}; weights are read as F32, F16 or BF16.`,
      'Convert the model to one of those types; a quantised model must be de-quantised first.',
    );
  };
  return {
    name,
    path: file.path,
    shape,
    format,
    read(start, out) {
      const { bytes } = BLOCKS[format()];
      dequantiseBlocks(format(), file.read(entry, start * bytes, out.length * bytes), 0, out);
    },
    load: () => blockTensor(name, shape, format(), file.read(entry)),
  };
}

/** What a quantised weight is made of besides its codes. */
const PART = /^(.+)\.(?:absmax|quant_map|nested_absmax|nested_quant_map|quant_state\.bitsandbytes__\w+)$/;

/** Tensors that mean something by themselves: constants and tables of 4 bits are parts of their weights. */
export const safetensorsSource = (tensors: TensorSource): WeightSource =>
  new Map(
    [...tensors].flatMap(([name, located]): [string, SourceTensor][] => {
      const whole = PART.exec(name)?.[1];
      if (whole !== undefined && tensors.has(whole)) return [];
      return [[name, bitsandbytesTensor(name, tensors) ?? safetensorsTensor(located)]];
    }),
  );

/** Names and shapes of all weights of a folder; of those in 4 bits, what they stand for. Throws a {@link ModelError}. */
export function weightShapes(host: Host, folder: string): readonly StoredShape[] {
  const files = openTensorSource(host, folder);
  return [...safetensorsSource(files).values()].map(({ name, shape }) => ({
    ...{ name, shape },
    ...(stateOf(name, files) !== undefined && { isCoded: true }),
  }));
}
