/** Secrets that a stage would read: by name here, by content only in the stage itself, at the last moment. */
import { secretUnset } from '../../language/diagnostics/catalogue/params.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { SecretValue, Stage, Value } from '../../language/ir/program.js';
import { isList, isRecord, isSecret } from '../../language/ir/values.js';

/** One error a secret whose environment variable is not set. */
export function missingSecrets(stage: Stage, host: Host): readonly Diagnostic[] {
  const found = new Map(secretsIn(stage.settings).map((secret) => [secret.env, secret]));
  return [...found.values()]
    .filter(({ env }) => (host.env(env) ?? '').trim() === '')
    .map(({ secret, env }) => secretUnset(stage.span, stage.name, secret, env));
}

function secretsIn(value: Value): readonly SecretValue[] {
  if (isSecret(value)) return [value];
  if (isList(value)) return value.flatMap(secretsIn);
  return isRecord(value) ? Object.values(value).flatMap(secretsIn) : [];
}
