/** What is said and done with the fields of a plan, whichever there are: all of it goes over the table of freedoms. */
import type { Method } from '../../../language/schemas/methods.js';
import type { SettingType } from '../../../language/schemas/schema.js';
import { type FastestPlan, type Freedom, PLAN_COLUMNS } from './freedom.js';
import { FREEDOMS } from './freedoms.js';
import type { TrainPlan } from './plan.js';

type FieldName = keyof TrainPlan;
export type FieldValue = string | number | boolean;

/** A freedom of any type, with its name. */
interface Field extends Omit<Freedom<FieldValue>, 'start'> {
  readonly name: FieldName;
  start?(fastest: FastestPlan): FieldValue | undefined;
  /** What leaving it out means; itself left out if the field has to be there. */
  readonly absent?: FieldValue | null;
}

const isFieldName = (name: string): name is FieldName => Object.hasOwn(FREEDOMS, name);

export const FIELDS: readonly Field[] = Object.keys(FREEDOMS)
  .filter(isFieldName)
  .map((name) => ({ ...FREEDOMS[name], name }));

const isOptional = ({ absent }: Field): boolean => absent !== undefined;

/** What counts: the value, what other fields imply, or what leaving it out means; `null` if that is nothing. */
export const fieldValue = ({ name, implied, absent }: Field, plan: TrainPlan): FieldValue | null =>
  implied?.(plan) ?? plan[name] ?? absent ?? null;

export function isTrainPlan(value: object): value is TrainPlan {
  const values = new Map<string, unknown>(Object.entries(value));
  return FIELDS.every((field) => {
    const found = values.get(field.name);
    return found === undefined ? isOptional(field) : isOfType(field.type, found);
  });
}

function isOfType(type: SettingType, value: unknown): boolean {
  if (type.kind === 'enum') return typeof value === 'string' && type.values.includes(value);
  if (type.kind === 'boolean') return value === true;
  if (type.kind !== 'integer' && type.kind !== 'number' && type.kind !== 'quantity') return false;
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = type;
  const above = type.kind === 'number' ? type.above : undefined;
  return typeof value === 'number' && value >= min && value <= max && (above === undefined || value > above);
}

/** A plan of these values; those that are `undefined` are left out. */
export function planOf(values: Readonly<Partial<Record<FieldName, unknown>>>): TrainPlan | undefined {
  const plan = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
  return isTrainPlan(plan) ? plan : undefined;
}

/** The fastest plan, before the planner decides how the base is held. */
export function startingPlan(fastest: FastestPlan): TrainPlan {
  const plan = planOf(Object.fromEntries(FIELDS.map(({ name, start }) => [name, start?.(fastest)])));
  if (plan === undefined) throw new Error('the fastest plan lacks a field');
  return plan;
}

/** The same shape under another method, which holds the base its own way. */
export const underMethod = (plan: TrainPlan, method: Method): TrainPlan => ({
  ...without(plan, (field) => field.isResidency === true || field.applies?.(method) === false),
  method,
});

/** How the base is held in memory. */
export const residencyFields = (plan: object): Partial<TrainPlan> => {
  const values = new Map<string, unknown>(Object.entries(plan));
  return Object.fromEntries(
    FIELDS.filter(({ isResidency, type, name }) => isResidency && isOfType(type, values.get(name))).map(
      ({ name }) => [name, values.get(name)],
    ),
  );
};

/** The same plan over a base that is held as another plan says. */
export const withResidency = (plan: TrainPlan, residency: Partial<TrainPlan>): TrainPlan => ({
  ...without(plan, ({ isResidency }) => isResidency === true),
  ...residency,
});

function without(plan: TrainPlan, leaves: (field: Field) => boolean): TrainPlan {
  const left = FIELDS.filter((field) => isOptional(field) && leaves(field)).map(({ name }) => name);
  const kept = planOf(
    Object.fromEntries(FIELDS.map(({ name }) => [name, left.includes(name) ? undefined : plan[name]])),
  );
  return kept ?? plan;
}

/** The text of each column of a table of plans. */
export const planCells = (plan: TrainPlan): readonly string[] =>
  PLAN_COLUMNS.map((column) =>
    FIELDS.flatMap(({ cell }) => (cell?.[0] === column ? (cell[1](plan) ?? []) : [])).join(', '),
  );

/** What a sentence says about a plan beyond its method and its shape. */
export const planTexts = (plan: TrainPlan): readonly string[] =>
  FIELDS.flatMap(({ text }) => text?.(plan) ?? []);

/** The fields that are not the same in another plan, as that plan has them. */
export const changedFields = (
  before: TrainPlan,
  after: TrainPlan,
): Readonly<Record<string, FieldValue | null>> =>
  Object.fromEntries(
    FIELDS.filter(({ name }) => before[name] !== after[name]).map(({ name, absent }) => [
      name,
      after[name] ?? absent ?? null,
    ]),
  );

/** Whether two plans are shown as one. */
export const isSamePlan = (a: TrainPlan, b: TrainPlan): boolean =>
  FIELDS.every((field) => field.isMinor === true || fieldValue(field, a) === fieldValue(field, b));

/** Whether two plans lead to the same key: they differ in nothing that changes the result. */
export const hasSameKey = (a: TrainPlan, b: TrainPlan): boolean =>
  FIELDS.every(({ key, name }) => key === undefined || a[name] === b[name]);

/** The same plan with what a key takes from another one of as many rows at a time. */
export const withKeyOf = (plan: TrainPlan, other: TrainPlan): TrainPlan =>
  planOf({
    ...plan,
    ...Object.fromEntries(
      FIELDS.filter(({ key }) => key !== undefined).map(({ name }) => [name, other[name]]),
    ),
  }) ?? plan;

/** Names in files of earlier versions: outputs, saved plans, snapshots, records of the store, pipeline tests. */
export const newFieldName = (name: string): string =>
  FIELDS.find(({ formerly }) => formerly === name)?.name ?? name;

/** `head_chunk` → `logits_chunk`: the same name as that of a setting, or in a test. */
export const newSettingName = (name: string): string =>
  settingName(newFieldName(name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())));

/** `logitsChunk` → `logits_chunk` */
export const settingName = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** `chosen.headChunk` → `chosen.logitsChunk`: the same name as that of a part of a key. */
export const newPartName = (name: string): string =>
  name.startsWith(CHOSEN) ? CHOSEN + newFieldName(name.slice(CHOSEN.length)) : name;

const CHOSEN = 'chosen.';

/** The same fields under the names that `rename` gives them. */
export const renamed = <T>(
  fields: Readonly<Record<string, T>>,
  rename: (name: string) => string,
): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [rename(name), value]));
