/** The calls of a program that name repositories. */
import type { Call, Program, Stage, Value, Values } from '../../language/ir/program.js';
import { isCall, isSecret } from '../../language/ir/values.js';
import { repositoryOf } from '../../language/schemas/repositories.js';

export interface HubCall {
  readonly stage: Stage;
  /** Where it is: `base`, `source.0`, `mix.general`. */
  readonly path: string;
  readonly call: Call;
}

export const hubCalls = (stages: readonly Stage[]): readonly HubCall[] =>
  allCalls(stages).filter(({ call }) => repositoryOf(call) !== undefined);

/** Every call in the settings of stages, those within calls too. */
export const allCalls = (stages: readonly Stage[]): readonly HubCall[] =>
  stages.flatMap((stage) =>
    Object.entries(stage.settings).flatMap(([name, value]) => callsIn(stage, name, value)),
  );

function callsIn(stage: Stage, path: string, value: Value): readonly HubCall[] {
  if (value === null || typeof value !== 'object') return [];
  const own = isCall(value) ? [{ stage, path, call: value }] : [];
  const fields = Object.entries<Value>(isCall(value) ? value.args : (value as Values));
  return [...own, ...fields.flatMap(([name, field]) => callsIn(stage, `${path}.${name}`, field))];
}

/** The program with every call replaced; calls within a call come before it. */
export function replaceCalls(program: Program, replace: (call: Call) => Call): Program {
  const over = (value: Value): Value => {
    if (value === null || typeof value !== 'object') return value;
    if (isCall(value)) return replace({ ...value, args: overAll(value.args) });
    if (Array.isArray(value)) return value.map((item: Value) => over(item));
    return overAll(value as Values);
  };
  const overAll = (values: Values): Values =>
    Object.fromEntries(Object.entries(values).map(([name, field]) => [name, over(field)]));
  return {
    ...program,
    stages: program.stages.map((stage) => ({ ...stage, settings: overAll(stage.settings) })),
  };
}

/** The environment variable that opens a repository, where its call names a secret. */
export const secretOf = ({ args }: Call): string | undefined =>
  isSecret(args['token']) ? args['token'].env : undefined;
