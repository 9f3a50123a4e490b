/**
 * Experts as transformers 5 keeps them: one parameter for all experts' matrices of a kind, however files hold them. Names and
 * order as in its `conversion_mapping.py` and the `…Experts` classes of release 5.24.0.
 */
import type { NamedShape } from './architectures/blueprint.js';

/** All experts' matrices of one kind in one block. */
export interface ExpertParameter {
  /** Full path: `model.layers.0.mlp.experts.gate_up_proj`. */
  readonly path: string;
  /** Path within the block. */
  readonly module: string;
  readonly layer: number;
  readonly experts: number;
  /** As PEFT takes the shape: `[experts, outputs, inputs]`, or `[experts, inputs, outputs]` where it is transposed. */
  readonly inputs: number;
  readonly outputs: number;
  readonly transposed: boolean;
  /** The tensors of the files that it is made of. */
  readonly pieces: readonly ExpertPiece[];
}

/** A tensor of a file within a parameter. */
interface ExpertPiece {
  /** Name in memory, but for the experts' numbers. */
  readonly name: string;
  /** Number of its expert; `undefined` for a tensor of all experts. */
  readonly expert?: number;
  /** Its rows are the outputs from here on. */
  readonly first: number;
}

/** Classes whose parameters are `[experts, inputs, outputs]`, and say so. */
const TRANSPOSED: ReadonlySet<string> = new Set(['gpt_oss', 'openai_privacy_filter', 'aria', 'aria_text']);

/** What transformers turns or splits on reading: no names of files tell what is in memory. */
const CONVERTED: ReadonlySet<string> = new Set([
  ...['ernie4_5_vl_moe', 'ernie4_5_vl_moe_text', 'qwen3_vl_moe', 'qwen3_vl_moe_text', 'deepseek_v4'],
]);

/** In the order in which a class declares them: PEFT nests adapters in it. */
const KINDS: readonly string[] = ['gate_up_proj', 'up_proj', 'down_proj'];

/** Which parameter an expert's matrix is of, and whether it comes after the gate. */
const OF_ONE: Readonly<Record<string, 'gate' | 'up' | 'down'>> = {
  w1: 'gate',
  gate_proj: 'gate',
  w3: 'up',
  up_proj: 'up',
  w2: 'down',
  down_proj: 'down',
};

const BLOCK = /^(.*(?:^|\.)(?:layers|h|blocks?))\.(\d+)\.(.+)$/;
const ONE = /^(.+\.experts)\.(\d+)\.(w[123]|(?:gate|up|down)_proj)\.weight$/;
const ALL = /^(.+\.experts)\.(gate_up_proj|up_proj|down_proj)$/;

/** `tensors`: of a model's files, by their names in memory. */
export function expertParameters(
  tensors: readonly NamedShape[],
  modelType: string,
): readonly ExpertParameter[] {
  if (CONVERTED.has(modelType)) return [];
  const isTransposed = TRANSPOSED.has(modelType);
  return [...stackedPieces(tensors)].flatMap(([path, pieces]) => {
    const [, , layer, module] = BLOCK.exec(path) ?? [];
    const sizes = sizesOf(pieces);
    if (layer === undefined || module === undefined || sizes === undefined) return [];
    const { experts, rows, columns } = sizes;
    const whole = pieces.some(({ expert }) => expert === undefined);
    const transposed = whole && isTransposed;
    return [
      {
        ...{ path, module, layer: Number(layer), experts, transposed },
        inputs: transposed ? rows : columns,
        outputs: transposed ? columns : rows,
        pieces: pieces.map(({ name, expert, first }) => ({ name, expert, first })),
      },
    ];
  });
}

type ShapedPiece = ExpertPiece & { readonly shape: readonly number[] };

/** By the parameters' paths. */
function stackedPieces(tensors: readonly NamedShape[]): ReadonlyMap<string, readonly ShapedPiece[]> {
  const found = new Map<string, ShapedPiece[]>();
  const add = (path: string, piece: ShapedPiece): void => {
    found.set(path, [...(found.get(path) ?? []), piece]);
  };
  const gates = new Map<string, number>();
  const ofOne = tensors.flatMap(({ name, shape }) => {
    const [, container, expert, part = ''] = ONE.exec(name) ?? [];
    const kind = OF_ONE[part];
    if (container === undefined || kind === undefined || shape.length !== 2) return [];
    if (kind === 'gate') gates.set(container, shape[0] ?? 0);
    return [{ name, shape, container, kind, expert: Number(expert) }];
  });
  for (const { name, shape, container, kind, expert } of ofOne) {
    const gate = gates.get(container);
    const parameter = kind === 'down' ? 'down_proj' : gate === undefined ? 'up_proj' : 'gate_up_proj';
    add(`${container}.${parameter}`, { name, shape, expert, first: kind === 'up' ? (gate ?? 0) : 0 });
  }
  for (const { name, shape } of tensors)
    if (ALL.test(name) && shape.length === 3) add(name, { name, shape, first: 0 });
  return found;
}

function sizesOf(
  pieces: readonly ShapedPiece[],
): { readonly experts: number; readonly rows: number; readonly columns: number } | undefined {
  const [one] = pieces;
  if (one === undefined) return undefined;
  if (one.expert === undefined) {
    const [experts = 0, rows = 0, columns = 0] = one.shape;
    return { experts, rows, columns };
  }
  const experts = new Set(pieces.map(({ expert }) => expert)).size;
  const [, columns = 0] = one.shape;
  const rows = pieces
    .filter(({ expert }) => expert === one.expert)
    .reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  return { experts, rows, columns };
}

const CONTAINER = /^(.+)\.([^.]+)$/;

/**
 * Where PEFT has the factors of the adapted parameters (full paths): next to the module that declares them, and of those that
 * it declares before another one within as many `base_layer`.
 */
export function factorModules(adapted: Iterable<string>): ReadonlyMap<string, string> {
  const byContainer = new Map<string, string[]>();
  for (const path of adapted) {
    const [, container = '', name = ''] = CONTAINER.exec(path) ?? [];
    byContainer.set(container, [...(byContainer.get(container) ?? []), name]);
  }
  const order = (name: string): number => KINDS.indexOf(name);
  return new Map(
    [...byContainer].flatMap(([container, names]) =>
      [...names]
        .sort((a, b) => order(b) - order(a))
        .map((name, within): [string, string] => [
          `${container}.${name}`,
          `${container}${'.base_layer'.repeat(within)}`,
        ]),
    ),
  );
}

/**
 * The other way round: the parameters whose factors are at these modules, by the modules. `targets`: ends of the parameters' paths,
 * or whole paths, as an adapter's file has them; a matrix of a module, such as `mlp.gate.weight`, has its factors next to it.
 */
export function adaptedParameters(
  targets: readonly string[],
  modules: Iterable<string>,
): ReadonlyMap<string, string> {
  const names = [...new Set(targets.map((target) => target.slice(target.lastIndexOf('.') + 1)))];
  const containers = new Set([...modules].map((module) => module.replace(/(?:\.base_layer)+$/, '')));
  const adapted = [...containers].flatMap((container) =>
    names
      .map((name) => `${container}.${name}`)
      .filter((path) => targets.some((target) => path === target || path.endsWith(`.${target}`)))
      // what a linear layer computes with is its own
      .filter((path) => namesExperts(path) || path.endsWith('.weight')),
  );
  return new Map([...factorModules(adapted)].map(([path, module]) => [module, path]));
}

/** Whether a target is written as one of experts. */
export const namesExperts = (target: string): boolean => /(?:^|\.)experts\.[^.]+$/.test(target);
