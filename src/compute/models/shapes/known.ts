/**
 * Models whose shapes come with the program: `stdlib/models/shapes.json`, the values of their `config.json` and where
 * these are from.
 */
import * as v from 'valibot';
import type { Host } from '../../../language/host/host.js';
import { anyObject, type Json, ownJson, positive, record } from '../../../language/host/json.js';
import { type NameForms, nameForms, republishes } from './names.js';
import { STORED_FORMATS, type StoredFormat } from './stored-formats.js';

interface KnownShape {
  /** The name of the model in the list. */
  readonly id: string;
  /** What its `config.json` says. */
  readonly config: Json;
  /** Numbers in its weights as published, a tied head counted once. */
  readonly parameters: number;
  /** Where the values are from. */
  readonly source: string;
  /** The files of this very name hold weights in 4 bits of bitsandbytes. */
  readonly isQuantised: boolean;
  /** What its files hold most weights in, if not in a type of the config's `torch_dtype`. */
  readonly stored?: StoredFormat;
}

const MODEL = v.object({
  family: v.optional(v.string()),
  parameters: positive,
  source: v.string(),
  stored: v.optional(v.picklist(STORED_FORMATS)),
  /** Other names of the model, and what their config has of its own. */
  also: v.optional(record(anyObject)),
  config: anyObject,
});
const SHAPES = v.object({
  /** What the configs of a family have in common. */
  families: record(anyObject),
  models: record(MODEL),
});

type Shapes = v.InferInput<typeof SHAPES>;

/** A name that the list has, the model that it means, and what is different under this name. */
interface ListedName extends NameForms {
  readonly name: string;
  readonly id: string;
  readonly own: Json;
}

interface ShapeList {
  readonly shapes: Shapes;
  readonly names: readonly ListedName[];
}

const lists = new Map<string, ShapeList>();

/** Read once per process. */
function listOf({ packageFolder, readText }: Host): ShapeList {
  const path = `${packageFolder}/stdlib/models/shapes.json`;
  const known = lists.get(path);
  if (known !== undefined) return known;
  const shapes = ownJson(SHAPES, readText(path));
  const names = Object.entries(shapes.models).flatMap(([id, { also = {} }]) =>
    Object.entries({ [id]: {}, ...also }).map(
      ([name, own]): ListedName => ({ name: name.toLowerCase(), id, own, ...nameForms(name) }),
    ),
  );
  const list = { shapes, names };
  lists.set(path, list);
  return list;
}

/** The models of the list, by their names there. */
export const knownModels = (host: Host): readonly string[] => Object.keys(listOf(host).shapes.models);

/** A copy that was saved without the published quantisation says so. */
const WHOLE = /bf16/;

/**
 * The shape of a model of the Hub: of one that is listed by this name, or of one whose copy this must be. `undefined` where that is
 * not certain.
 */
export function knownShape(host: Host, id: string): KnownShape | undefined {
  const { shapes, names } = listOf(host);
  const exact = names.find(({ name }) => name === id.toLowerCase());
  if (exact !== undefined) return shapeOf(shapes, exact, false);
  const { organisation, forms, isQuantised } = nameForms(id);
  for (const [index, form] of forms.entries()) {
    const found = names.filter((one) => one.forms[index] === form && mayMean(shapes, organisation, one));
    const distinct = new Map(found.map((one) => [JSON.stringify([one.id, one.own]), one]));
    const [only, ...others] = distinct.values();
    if (only === undefined) continue;
    const shape = others.length === 0 ? shapeOf(shapes, only, isQuantised) : undefined;
    return shape && (isQuantised || WHOLE.test(id.toLowerCase())) ? { ...shape, stored: undefined } : shape;
  }
  return undefined;
}

const mayMean = (shapes: Shapes, organisation: string, { organisation: listed, id }: ListedName): boolean =>
  organisation === listed || republishes(organisation, configOf(shapes, id)['model_type']);

function configOf({ families, models }: Shapes, id: string): Json {
  const { family, config } = models[id] ?? { config: {} };
  return { ...(family === undefined ? {} : families[family]), ...config };
}

function shapeOf(shapes: Shapes, { id, own }: ListedName, isQuantised: boolean): KnownShape | undefined {
  const model = shapes.models[id];
  if (model === undefined) return undefined;
  const { parameters, source, stored } = model;
  const config = { ...configOf(shapes, id), ...own };
  return { id, parameters, source, isQuantised, config, ...(stored === undefined ? {} : { stored }) };
}
