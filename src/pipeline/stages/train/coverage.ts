/** What of a model is trained: the line that PEFT prints, and a table of its modules. */
import { trainedBiases } from '../../../compute/models/adapters/biases.js';
import {
  adaptedExperts,
  branchAt,
  branchTensors,
  expertFactors,
} from '../../../compute/models/adapters/branches.js';
import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import type { AddedModule, Branch } from '../../../compute/models/adapters/definition.js';
import { adapterShapes, addedModules, layerKinds } from '../../../compute/models/adapters/kinds.js';
import { adaptedOuterOf, isTied, outerTensors } from '../../../compute/models/adapters/outer.js';
import { adaptedConfig, savableTensors, wholeTensor } from '../../../compute/models/adapters/whole.js';
import {
  expectedTensors,
  expertsOfModel,
  type NamedShape,
  type PlacedProjection,
  projectionsOfModel,
  trainableTensors,
} from '../../../compute/models/architectures/index.js';
import { foreignExperts } from '../../../compute/models/foreign.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import { sizeOf } from '../../../compute/tensor/shape.js';

/** The linear layers of one name, over all blocks; embedding and head stand for themselves. */
export interface ModuleCoverage {
  /** Path within a block, or the whole path of what is outside. */
  readonly module: string;
  /** How many are trained, and how many there are. */
  readonly trained: number;
  readonly of: number;
  /** Ranks of their adapters, ascending; none if the weights themselves are trained, or nothing is. */
  readonly ranks: readonly number[];
  /** Trained numbers. */
  readonly parameters: number;
}

/** Written to `coverage.json`. */
interface Coverage {
  readonly version: 1;
  readonly trainable: number;
  readonly all: number;
  /** Modules with an adapter, or whose weights are trained. */
  readonly trained: readonly string[];
  /** Linear layers that stay as they are. */
  readonly frozen: readonly string[];
  readonly modules: readonly ModuleCoverage[];
}

/** Counts as PEFT does: all parameters are those of the base and of the adapter; a tied head counts once. */
export function coverageOf(base: ModelConfig, adapter: AdapterConfig | undefined): Coverage {
  const config = adaptedConfig(base, adapter);
  const weights = elements(expectedTensors(config));
  const trained = elements(adapter === undefined ? trainableTensors(config) : adapterShapes(config, adapter));
  const projections = projectionCoverage(config, adapter);
  return {
    version: 1,
    trainable: trained,
    all: adapter === undefined ? weights : weights + trained - elements(trainedBiases(config, adapter)),
    trained: projections.filter(({ hit }) => hit).map(({ path }) => path),
    frozen: projections.filter(({ hit }) => !hit).map(({ path }) => path),
    modules: [
      ...byModule(projections),
      ...expertModules(config, adapter),
      ...outerModules(config, adapter),
      ...(adapter === undefined ? [] : addedModules(config, adapter).map(addedCoverage)),
    ],
  };
}

interface ProjectionCoverage extends PlacedProjection {
  readonly hit: boolean;
  readonly rank: number | undefined;
  readonly parameters: number;
}

function projectionCoverage(
  config: ModelConfig,
  adapter: AdapterConfig | undefined,
): readonly ProjectionCoverage[] {
  const branchOf = branchLookup(config, adapter);
  return projectionsOfModel(config).map((projection) => {
    const branch = branchOf(projection);
    const own = branch === undefined ? 0 : elements(branchTensors(branch, projection, projection.path));
    const whole = projection.inputs * projection.outputs + (projection.bias ? projection.outputs : 0);
    return {
      ...projection,
      rank: branch?.rank,
      hit: adapter === undefined || branch !== undefined,
      parameters: adapter === undefined ? whole : own,
    };
  });
}

function branchLookup(
  config: ModelConfig,
  adapter: AdapterConfig | undefined,
): (projection: PlacedProjection) => Branch | undefined {
  if (config.foreign !== undefined)
    return ({ path, layer }) => (adapter?.kind === 'lora' ? branchAt(adapter, path, layer) : undefined);
  const layers = layerKinds(config, adapter);
  return ({ layer, module }) => layers[layer]?.branches[module];
}

const byModule = (projections: readonly ProjectionCoverage[]): readonly ModuleCoverage[] =>
  [...new Set(projections.map(({ module }) => module))].map((module) => {
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

/** Experts, which transformers has in one parameter per block and kind. Those without an adapter are one line. */
function expertModules(config: ModelConfig, adapter: AdapterConfig | undefined): readonly ModuleCoverage[] {
  const { foreign } = config;
  if (foreign === undefined) return [];
  const adapted = adapter?.kind === 'lora' ? adaptedExperts(config, adapter) : [];
  const containers = new Set(adapted.map(({ module }) => containerOf(module)));
  const inBlocks = expertsOfModel(config).filter(({ module }) => containers.has(containerOf(module)));
  const kinds = [...new Set(inBlocks.map(({ module }) => module))].map((module) => {
    const hit = adapted.filter((one) => one.module === module);
    return {
      module,
      trained: hit.length,
      of: inBlocks.filter((one) => one.module === module).length,
      ranks: [...new Set(hit.map(({ branch }) => branch.rank))].sort((a, b) => a - b),
      parameters: hit.reduce((sum, one) => sum + elements(expertFactors(one)), 0),
    };
  });
  const others = foreignExperts(foreign)
    .filter(({ module }) => !containers.has(module))
    .map(({ module, blocks, parameters }) => ({
      ...{ module, of: blocks, ranks: [] },
      ...(adapter === undefined ? { trained: blocks, parameters } : { trained: 0, parameters: 0 }),
    }));
  return [...kinds, ...others];
}

const containerOf = (module: string): string => module.slice(0, module.lastIndexOf('.'));

/** Embedding and head; one if they are tied and the head is not trained for itself. */
function outerModules(config: ModelConfig, adapter: AdapterConfig | undefined): readonly ModuleCoverage[] {
  return savableTensors(config).flatMap((tensor): readonly ModuleCoverage[] => {
    const module = tensor.name.replace(/\.weight$/, '');
    const factors = adaptedOuterOf(config, adapter, tensor.role);
    if (factors !== undefined)
      return [
        {
          ...{ module, trained: 1, of: 1, ranks: [factors.branch.rank] },
          parameters: elements(outerTensors(factors)),
        },
      ];
    const whole = wholeTensor(config, adapter, tensor.role) !== undefined;
    if (tensor.role === 'head' && isTied(config) && !whole) return [];
    const hit = adapter === undefined || whole;
    return [
      {
        module,
        trained: hit ? 1 : 0,
        of: 1,
        ranks: [],
        parameters: hit ? elements([tensor]) : 0,
      },
    ];
  });
}

const addedCoverage = ({ module, layers, of, shapes }: AddedModule): ModuleCoverage => ({
  module,
  trained: layers,
  of,
  ranks: [],
  parameters: elements(shapes),
});

const elements = (shapes: readonly NamedShape[]): number =>
  shapes.reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** The line that PEFT's `print_trainable_parameters` prints. */
export function trainableLine({ trainable, all }: Pick<Coverage, 'trainable' | 'all'>): string {
  const share = ((100 * trainable) / all).toFixed(4);
  return `trainable params: ${thousands(trainable)} || all params: ${thousands(all)} || trainable%: ${share}`;
}

/** Heading and rows of the table, one cell per column. */
export function coverageCells(modules: readonly ModuleCoverage[]): readonly (readonly string[])[] {
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
export function coverageLines(modules: readonly ModuleCoverage[]): readonly string[] {
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
