/** The calls of a program that name repositories. */
import type { Call, Program, Stage, Value } from '../../language/ir/program.js';
import { isCall, isSecret } from '../../language/ir/values.js';
import { repositoryOf } from '../../language/schemas/repositories.js';

export interface HubCall {
  readonly stage: Stage;
  /** Where it is: `base`, `source.0`, `mix.general`. */
  readonly path: string;
  readonly call: Call;
}

export const hubCalls = (stages: readonly Stage[]): readonly HubCall[] =>
  stages.flatMap((stage) =>
    Object.entries(stage.settings).flatMap(([name, value]) => callsIn(stage, name, value)),
  );

function callsIn(stage: Stage, path: string, value: Value): readonly HubCall[] {
  if (value === null || typeof value !== 'object') return [];
  if (isCall(value)) return repositoryOf(value) === undefined ? [] : [{ stage, path, call: value }];
  return Object.entries(value).flatMap(([name, field]) => callsIn(stage, `${path}.${name}`, field as Value));
}

/** The program with every call replaced, but for calls within calls. */
export function replaceCalls(program: Program, replace: (call: Call) => Call): Program {
  const over = (value: Value): Value => {
    if (value === null || typeof value !== 'object') return value;
    if (isCall(value)) return replace(value);
    if (Array.isArray(value)) return value.map((item: Value) => over(item));
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, over(field as Value)]));
  };
  return {
    ...program,
    stages: program.stages.map((stage) => ({
      ...stage,
      settings: Object.fromEntries(
        Object.entries(stage.settings).map(([name, value]) => [name, over(value)]),
      ),
    })),
  };
}

/** The environment variable that opens a repository, where its call names a secret. */
export const secretOf = ({ args }: Call): string | undefined =>
  isSecret(args['token']) ? args['token'].env : undefined;
