/** What of a model is trained: the line that PEFT prints, and a table of its modules. */
import {
  BOTTLENECK_MODULES,
  BOTTLENECK_PLACES,
  bottleneckModule,
  bottleneckShapes,
} from '../../../compute/models/adapters/bottleneck.js';
import { adaptedConfig } from '../../../compute/models/adapters/classifier.js';
import { branchAt, branchTensors } from '../../../compute/models/adapters/layout.js';
import { prefixShapes } from '../../../compute/models/adapters/prefix.js';
import { promptShapes } from '../../../compute/models/adapters/prompt.js';
import { savableTensors, savedTensor, savedTensors } from '../../../compute/models/adapters/saved.js';
import {
  blueprintOf,
  expectedTensors,
  type NamedShape,
  projectionsOfModel,
} from '../../../compute/models/architectures/index.js';
import type { LoraConfig, ModelConfig } from '../../../compute/models/types.js';
import { elementCount } from '../../../compute/models/weights/sizes.js';

/** The linear layers of one name, over all blocks; embedding and head stand for themselves. */
export interface CoveredModule {
  /** Path within a block, or the whole path of what is outside. */
  readonly module: string;
  /** How many are trained, and how many there are. */
  readonly trained: number;
  readonly of: number;
  /** Ranks of their adapters, ascending; none where the weights themselves are trained, or nothing is. */
  readonly ranks: readonly number[];
  /** Trained numbers. */
  readonly parameters: number;
}

/** Written to `coverage.json`. */
export interface Coverage {
  readonly version: 1;
  readonly trainable: number;
  readonly all: number;
  /** Modules with an adapter, or whose weights are trained. */
  readonly trained: readonly string[];
  /** Linear layers that stay as they are. */
  readonly frozen: readonly string[];
  readonly modules: readonly CoveredModule[];
}

/** Counts as PEFT does: all parameters are those of the base and of the adapter; a tied head counts once. */
export function coverageOf(base: ModelConfig, lora: LoraConfig | undefined): Coverage {
  return countedOf(adaptedConfig(base, lora), lora);
}

function countedOf(config: ModelConfig, lora: LoraConfig | undefined): Coverage {
  const base = elements(expectedTensors(config));
  const projections = projectionsOfModel(config).map((projection) => {
    const branch = lora && branchAt(lora, projection.path, projection.layer);
    const own = branch === undefined ? 0 : elements(branchTensors(branch, projection, projection.path));
    const whole = projection.inputs * projection.outputs + (projection.bias ? projection.outputs : 0);
    return {
      ...projection,
      rank: branch?.rank,
      hit: lora === undefined || branch !== undefined,
      parameters: lora === undefined ? whole : own,
    };
  });
  const modules = [...new Set(projections.map(({ module }) => module))].map((module): CoveredModule => {
    const all = projections.filter((projection) => projection.module === module);
    const hit = all.filter((projection) => projection.hit);
    return {
      module,
      trained: hit.length,
      of: all.length,
      ranks: [...new Set(hit.flatMap(({ rank }) => rank ?? []))].sort((a, b) => a - b),
      parameters: hit.reduce((sum, { parameters }) => sum + parameters, 0),
    };
  });
  const adapter =
    projections.reduce((sum, { parameters }) => sum + parameters, 0) +
    elements([
      ...savedTensors(config, lora),
      ...virtualShapes(config, lora),
      ...bottleneckShapes(config, lora),
    ]);
  return {
    version: 1,
    trainable: lora === undefined ? base : adapter,
    all: lora === undefined ? base : base + adapter,
    trained: projections.filter(({ hit }) => hit).map(({ path }) => path),
    frozen: projections.filter(({ hit }) => !hit).map(({ path }) => path),
    modules: [
      ...modules,
      ...outerModules(config, lora),
      ...virtualModules(config, lora),
      ...bottleneckModules(config, lora),
    ],
  };
}

/** Embedding and head; one where they are tied and the head is not trained for itself. */
function outerModules(config: ModelConfig, lora: LoraConfig | undefined): readonly CoveredModule[] {
  const { embedding, head } = blueprintOf(config);
  const tied = head.output.name === embedding.name;
  return savableTensors(config).flatMap((tensor): readonly CoveredModule[] => {
    const saved = savedTensor(config, lora, tensor.role) !== undefined;
    if (tensor.role === 'head' && tied && !saved) return [];
    const hit = lora === undefined || saved;
    return [
      {
        module: tensor.name.replace(/\.weight$/, ''),
        trained: hit ? 1 : 0,
        of: 1,
        ranks: [],
        parameters: hit ? elements([tensor]) : 0,
      },
    ];
  });
}

/** The adapters behind each part, over all blocks. */
const bottleneckModules = (config: ModelConfig, lora: LoraConfig | undefined): readonly CoveredModule[] =>
  BOTTLENECK_PLACES.flatMap((place) => {
    const module = bottleneckModule(place);
    const shapes = bottleneckShapes(config, lora).filter(({ name }) => name.includes(`.${module}.`));
    if (shapes.length === 0) return [];
    const trained = new Set(shapes.map(({ name }) => name.slice(0, name.indexOf(module)))).size;
    return [
      {
        module: BOTTLENECK_MODULES[place],
        trained,
        of: config.layers,
        ranks: [],
        parameters: elements(shapes),
      },
    ];
  });

const virtualShapes = (config: ModelConfig, lora: LoraConfig | undefined): readonly NamedShape[] => [
  ...promptShapes(config, lora),
  ...prefixShapes(config, lora),
];

const virtualModules = (config: ModelConfig, lora: LoraConfig | undefined): readonly CoveredModule[] =>
  virtualShapes(config, lora).map((tensor) => ({
    module: tensor.name,
    trained: 1,
    of: 1,
    ranks: [],
    parameters: elements([tensor]),
  }));

const elements = (shapes: readonly NamedShape[]): number =>
  shapes.reduce((sum, { shape }) => sum + elementCount(shape), 0);

/** The line that PEFT's `print_trainable_parameters` prints. */
export function trainableLine({ trainable, all }: Pick<Coverage, 'trainable' | 'all'>): string {
  const share = ((100 * trainable) / all).toFixed(4);
  return `trainable params: ${thousands(trainable)} || all params: ${thousands(all)} || trainable%: ${share}`;
}

/** Heading and rows of the table, a cell a column. */
export function coverageCells(modules: readonly CoveredModule[]): readonly (readonly string[])[] {
  return [
    ['module', 'trained', 'rank', 'parameters'],
    ...modules.map(({ module, trained, of, ranks, parameters }) => [
      module,
      trained === 0 ? 'frozen' : `${trained} of ${of}`,
      ranks.join(', '),
      trained === 0 ? '' : thousands(parameters),
    ]),
  ];
}

/** The table as lines of text. */
export function coverageLines(modules: readonly CoveredModule[]): readonly string[] {
  const rows = coverageCells(modules);
  const widths = rows.reduce<readonly number[]>(
    (most, row) => row.map((cell, column) => Math.max(most[column] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function thousands(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}
