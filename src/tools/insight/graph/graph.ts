/** The graph of a pipeline as data: stages, what they pass to each other, and what they read from outside. */

import { references } from '../../../language/check/stage-graph.js';
import { valueText } from '../../../language/check/value-text.js';
import type { StageAction } from '../../../language/ir/events.js';
import type { Program, Stage, StageKind, Value } from '../../../language/ir/program.js';
import { isCall, isList, isRecord } from '../../../language/ir/values.js';
import { functions } from '../../../language/schemas/functions/index.js';
import type { Setting, SettingType } from '../../../language/schemas/schema.js';
import { recordFields } from '../../../language/schemas/setting-paths.js';
import { schemas } from '../../../language/schemas/stages/index.js';
import type { Plan } from '../../../pipeline/planner/plan-json.js';

/** What a run would do with a stage; `failed`: it failed the last time, also where its output exists and a gate did not hold. */
export type NodeStatus = StageAction | 'failed';

export interface GraphNode {
  readonly name: string;
  readonly kind: StageKind;
  readonly doc?: string;
  /** Only where it was asked for. */
  readonly status?: NodeStatus;
}

/** A file, or a model or an adapter, that a stage reads. */
export interface GraphInput {
  readonly name: string;
  readonly kind: 'files' | 'model';
}

export interface GraphEdge {
  /** Name of a stage, or of an input where `input` is set. */
  readonly from: string;
  readonly to: string;
  readonly input?: true;
  /** Ports that are read, `''` for the stage itself, and the settings that read them. */
  readonly ports: readonly string[];
  readonly settings: readonly string[];
}

export interface Graph {
  readonly version: 1;
  readonly pipeline: string;
  readonly nodes: readonly GraphNode[];
  readonly inputs: readonly GraphInput[];
  readonly edges: readonly GraphEdge[];
}

interface GraphOptions {
  /** With the files and models that stages read. */
  readonly inputs?: boolean;
  /** Gives the stages their status. */
  readonly plan?: Plan;
  /** Stages that failed in the last run. */
  readonly failed?: ReadonlySet<string>;
}

export function graphOf(program: Program, options: GraphOptions = {}): Graph {
  const { plan, failed } = options;
  const planned = new Map(plan?.stages.map((stage) => [stage.name, stage.action]));
  const outside = options.inputs === true ? program.stages.map(outsideOf) : [];
  const inputs = new Map(outside.flat().map(({ input }) => [`${input.kind} ${input.name}`, input]));
  return {
    version: 1,
    pipeline: program.name,
    nodes: program.stages.map((stage) => ({
      name: stage.name,
      kind: stage.kind,
      ...(stage.doc === undefined ? {} : { doc: stage.doc }),
      ...statusOf(planned.get(stage.name), failed?.has(stage.name) === true),
    })),
    inputs: [...inputs.values()],
    edges: [
      ...outside.flat().map(({ input, stage, setting }) => ({
        from: input.name,
        to: stage,
        input: true as const,
        ports: [],
        settings: [setting],
      })),
      ...program.stages.flatMap(edgesInto),
    ],
  };
}

function statusOf(action: StageAction | undefined, failed: boolean): { readonly status?: NodeStatus } {
  if (action === undefined) return {};
  return { status: failed ? 'failed' : action };
}

/** One edge from each stage that is read, with all the ports that are read of it. */
function edgesInto(stage: Stage): readonly GraphEdge[] {
  const found = new Map<string, { ports: string[]; settings: string[] }>();
  for (const [setting, value] of Object.entries(stage.settings))
    for (const { stage: from, port } of references(value)) {
      const edge = found.get(from) ?? { ports: [], settings: [] };
      if (!edge.ports.includes(port)) edge.ports.push(port);
      if (!edge.settings.includes(setting)) edge.settings.push(setting);
      found.set(from, edge);
    }
  return [...found].map(([from, edge]) => ({ from, to: stage.name, ...edge }));
}

interface OutsideInput {
  readonly input: GraphInput;
  readonly stage: string;
  readonly setting: string;
}

function outsideOf(stage: Stage): readonly OutsideInput[] {
  const fields = schemas[stage.kind].settings;
  const found = Object.entries(stage.settings).flatMap(([setting, value]) =>
    // A tokenizer that was filled in is that of the base, which is shown if it is trained.
    setting === 'model' && stage.origins[setting] === 'default'
      ? []
      : inputsIn(value, fields[setting]?.type).map((input) => ({ input, stage: stage.name, setting })),
  );
  return found.filter(
    ({ input }, index) => found.findIndex((other) => other.input.name === input.name) === index,
  );
}

function inputsIn(value: Value, type: SettingType | undefined): readonly GraphInput[] {
  if (typeof value === 'string') return namesFiles(type) ? [{ name: value, kind: 'files' }] : [];
  if (value === null || typeof value !== 'object') return [];
  if (isCall(value)) {
    const schema = functions[value.call];
    if (schema?.family === 'model' || schema?.family === 'adapter')
      return [{ name: valueText(value), kind: 'model' }];
    return inFields(value.args, schema?.args);
  }
  if ('sha256' in value) return [{ name: String(value['file']), kind: 'files' }];
  if (isList(value)) return value.flatMap((item) => inputsIn(item, undefined));
  return isRecord(value) ? inFields(value, recordFields(type)) : [];
}

const inFields = (
  values: Readonly<Record<string, Value>>,
  fields: Readonly<Record<string, Setting>> | undefined,
): readonly GraphInput[] =>
  Object.entries(values).flatMap(([name, value]) => inputsIn(value, fields?.[name]?.type));

const namesFiles = (type: SettingType | undefined): boolean =>
  type?.kind === 'string'
    ? type.names === 'files'
    : type?.kind === 'union' && type.of.some((one) => namesFiles(one));
