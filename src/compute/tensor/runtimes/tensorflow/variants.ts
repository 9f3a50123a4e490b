/**
 * Ways in which TensorFlow computes the same graph. Which is fastest depends on the machine: it is measured, kept in the
 * user's cache, and part of the runtime's version, since what they compute differs by rounding.
 */
import { variantUnknown } from '../../../../language/diagnostics/catalogue/runtimes.js';
import { UserError } from '../../../../language/diagnostics/types.js';
import type { Host } from '../../../../language/host/host.js';
import { flopsOf } from '../../cost.js';
import type { OpName } from '../../ops/names.js';
import type { Graph } from '../../types.js';
import { readSpeeds, type Speeds } from '../speeds.js';
import { readTensorFlow } from './installed.js';

export interface Variant {
  /** Products whose factors and result are rounded to bfloat16 are computed on bfloat16, and not on float32. */
  readonly bf16: boolean;
  /** Functions that compute much are compiled by XLA: {@link COMPILED_FROM}. */
  readonly xla: boolean;
}

export const VARIANTS = {
  plain: { bf16: false, xla: false },
  bf16: { bf16: true, xla: false },
  xla: { bf16: false, xla: true },
  'bf16+xla': { bf16: true, xla: true },
} as const satisfies Readonly<Record<string, Variant>>;

/**
 * Floating-point operations of a run from which on a graph is compiled. Compiling a block takes XLA a second, and a run of
 * it wins 1 ms for each of these (two cores of a Xeon with AVX-512): it pays after about a thousand runs, which a
 * training of thirty layers has taken after 35 steps. What computes less would hardly win back its second.
 */
export const COMPILED_FROM = 1e9;

/**
 * The same of a graph without products, whose many passes over memory XLA makes one: an update of AdamW over 163,000
 * numbers, which counts 2.4e6, wins 1 ms of 1.8 and compiles in a fifth of a second.
 */
const FUSED_FROM = 1e6;

const PRODUCTS: ReadonlySet<string> = new Set<OpName>(['matmul', 'gemm', 'adapted']);

/** Whether XLA compiles a graph; `from` takes the place of {@link COMPILED_FROM}. */
export function isWorthCompiling(graph: Graph, from = COMPILED_FROM): boolean {
  const multiplies = graph.nodes.some(({ op }) => PRODUCTS.has(op));
  return flopsOf(graph) >= (multiplies ? from : Math.min(from, FUSED_FROM));
}

/** Steps of the measured block within which compiling it must have paid. */
const COMPILED_FOR = 1000;

type VariantName = keyof typeof VARIANTS;

export const PLAIN: Variant = VARIANTS.plain;

/** Whether the runtime of this version compiles by XLA. */
export const isCompiled = (version: string): boolean => version.split('+').includes('xla');

/** Suffix of a version. */
export const suffixOf = ({ bf16, xla }: Variant): string => `${bf16 ? '+bf16' : ''}${xla ? '+xla' : ''}`;

const VARIABLE = 'FTPC_TENSORFLOW';

const isVariant = (name: string): name is VariantName => Object.hasOwn(VARIANTS, name);

/** What the environment asks for instead of what was measured. */
export function forcedVariant(host: Host): Variant | undefined {
  const name = host.env(VARIABLE) ?? '';
  return isVariant(name) ? VARIANTS[name] : undefined;
}

/** Throws a `UserError` if the environment asks for what there is not. */
export function checkForced(host: Host): void {
  const name = host.env(VARIABLE) ?? '';
  if (name !== '' && !isVariant(name)) throw new UserError(variantUnknown(name, Object.keys(VARIANTS)));
}

/** A block's step that is measured: one variant, over a graph whose products are rounded or are not. */
interface VariantMeasurement {
  /** Under which it is kept. */
  readonly key: string;
  readonly variant: Variant;
  readonly precision: 'f32' | 'bf16';
}

const measurement = (
  host: Host,
  variant: Variant,
  precision: VariantMeasurement['precision'],
): VariantMeasurement => ({
  key: `tensorflow ${installedVersion(host)}${suffixOf(variant)}${precision === 'f32' ? '' : ', products in bf16'}`,
  variant,
  precision,
});

const installedVersion = (host: Host): string => {
  const found = readTensorFlow(host);
  return `${found?.tensorflow ?? 'missing'}${found?.cuda ? '+cuda' : ''}`;
};

/** Under which the seconds are kept that compiling takes in a measurement of this key. */
export const compilingKey = (key: string): string => `${key}, compiling`;

/** Whether XLA is worth its seconds of compiling, and then whether products are faster on bfloat16: two of each. */
function contests(host: Host, speeds: Speeds): readonly (readonly VariantMeasurement[])[] {
  const forced = forcedVariant(host);
  if (forced !== undefined)
    return [(['f32', 'bf16'] as const).map((precision) => measurement(host, forced, precision))];
  const compiling = [VARIANTS.plain, VARIANTS.xla].map((variant) => measurement(host, variant, 'f32'));
  const { xla } = decided(compiling, speeds);
  const multiplying = [false, true].map((bf16) => measurement(host, { bf16, xla }, 'bf16'));
  return [compiling, multiplying];
}

/** The last one where it takes less time, and what it alone takes to compile is won back. */
function decided([first, last]: readonly VariantMeasurement[], speeds: Speeds): Variant {
  const [before, after] = [speeds[first?.key ?? ''], speeds[last?.key ?? '']];
  const compiling = first?.variant.xla === last?.variant.xla ? 0 : compilingSeconds(last, speeds);
  const better =
    typeof after === 'number' && typeof before === 'number' && COMPILED_FOR * (before - after) > compiling;
  return (better ? last : first)?.variant ?? PLAIN;
}

const compilingSeconds = (one: VariantMeasurement | undefined, speeds: Speeds): number =>
  speeds[compilingKey(one?.key ?? '')] ?? 0;

/** What has to be measured next before the variant is known; nothing if it is. */
export const unmeasured = (host: Host, speeds: Speeds): readonly VariantMeasurement[] =>
  contests(host, speeds)
    .map((contest) => contest.filter(({ key }) => speeds[key] === undefined))
    .find((missing) => missing.length > 0) ?? [];

/** Measures nothing; where something was not measured yet, it is {@link PLAIN}. */
export function variantOf(host: Host): Variant {
  const forced = forcedVariant(host);
  if (forced !== undefined) return forced;
  const speeds = readSpeeds(host);
  if (unmeasured(host, speeds).length > 0) return PLAIN;
  const [, multiplying = []] = contests(host, speeds);
  return decided(multiplying, speeds);
}

/** Its seconds of a step; `undefined` if it was not measured yet. */
export function measuredSeconds(host: Host, precision: VariantMeasurement['precision']): number | undefined {
  const variant = variantOf(host);
  // what is float32 has no use of `bf16`, and was measured without
  const bf16 = precision === 'bf16' ? variant.bf16 : (forcedVariant(host)?.bf16 ?? false);
  return readSpeeds(host)[measurement(host, { ...variant, bf16 }, precision).key] ?? undefined;
}

const milliseconds = (seconds: number): string => `${(1000 * seconds).toFixed(0)} ms`;

/** How it computes here, and why: one sentence each; nothing if nothing was measured. */
export function explainVariant(host: Host): readonly string[] {
  if (forcedVariant(host) !== undefined) return [`\`${VARIABLE}\` asks for ${host.env(VARIABLE)}`];
  const speeds = readSpeeds(host);
  if (unmeasured(host, speeds).length > 0) return [];
  const { bf16, xla } = variantOf(host);
  const pairs = contests(host, speeds);
  const [[plain, compiled] = [], [emulated, native] = []] = pairs.map((contest) =>
    contest.map(({ key }) => speeds[key]),
  );
  const compiling = compilingSeconds(pairs[0]?.[1], speeds).toFixed(1);
  const steps = (isTaken: boolean, [without, other]: readonly [number, number], how: string): string =>
    isTaken
      ? `a step takes ${milliseconds(other)} instead of ${milliseconds(without)}`
      : `a step takes ${milliseconds(without)}, and ${milliseconds(other)} ${how}`;
  return [
    typeof plain !== 'number' || typeof compiled !== 'number'
      ? 'XLA does not compile here'
      : `${xla ? '' : 'not '}compiled by XLA: ${steps(xla, [plain, compiled], 'compiled')}, after ${compiling} s of compiling`,
    typeof emulated !== 'number' || typeof native !== 'number'
      ? 'products of `precision = bf16` in float32: it has none on bfloat16 here'
      : `products of \`precision = bf16\` ${bf16 ? 'on bfloat16' : 'in float32'}: ${steps(bf16, [emulated, native], 'on bfloat16')}`,
  ];
}

/** Of what computes here, found out without loading it. */
export const tensorflowVersion = (host: Host): string | undefined => {
  const found = readTensorFlow(host);
  return found && `${found.tensorflow}${suffixOf(variantOf(host))}${found.cuda ? '+cuda' : ''}`;
};
