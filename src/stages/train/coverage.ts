import { branchAt } from '../../models/adapters/layout.js';
import {
  expectedTensors,
  type PlacedProjection,
  projectionsOfModel,
} from '../../models/architectures/index.js';
import type { LoraConfig, ModelConfig } from '../../models/types.js';

/** What of a model is trained: written to `coverage.json`. */
export interface Coverage {
  readonly version: 1;
  readonly trainable: number;
  readonly all: number;
  /** Modules with an adapter, or whose weights are trained. */
  readonly trained: readonly string[];
  /** Projections that stay as they are. */
  readonly frozen: readonly string[];
}

type Parameters = ReadonlyMap<string, { readonly data: Float32Array }>;

/** Counts as PEFT does: all parameters are those of the base and of the adapter; a tied head counts once. */
export function coverageOf(
  config: ModelConfig,
  lora: LoraConfig | undefined,
  parameters: Parameters,
): Coverage {
  const base = expectedTensors(config).reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
  const trainable = [...parameters.values()].reduce((sum, { data }) => sum + data.length, 0);
  const projections = projectionsOfModel(config);
  const hit = ({ path, layer }: PlacedProjection): boolean =>
    lora === undefined || branchAt(lora, path, layer) !== undefined;
  return {
    version: 1,
    trainable,
    all: lora === undefined ? base : base + trainable,
    trained: projections.filter(hit).map(({ path }) => path),
    frozen: projections.filter((projection) => !hit(projection)).map(({ path }) => path),
  };
}

/** The line that PEFT's `print_trainable_parameters` prints. */
export function trainableLine({ trainable, all }: Coverage): string {
  const share = ((100 * trainable) / all).toFixed(4);
  return `trainable params: ${thousands(trainable)} || all params: ${thousands(all)} || trainable%: ${share}`;
}

/** Which projections an adapter covers, in a sentence. */
export function coverageLine({ trained, frozen }: Coverage): string {
  const names = (paths: readonly string[]): string =>
    [...new Set(paths.map((path) => path.slice(path.lastIndexOf('.') + 1)))].join(', ');
  const total = trained.length + frozen.length;
  const rest = frozen.length === 0 ? '' : `; without: ${names(frozen)}`;
  return `adapter on ${trained.length} of ${total} projections: ${names(trained)}${rest}`;
}

function thousands(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}
