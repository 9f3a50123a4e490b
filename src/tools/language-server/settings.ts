import { isJson } from '../../language/host/json.js';

/** What a user can set in the editor: `initializationOptions`, and the section `ftpc` of its settings. */
export interface Settings {
  /** Values of parameters, as `-p name=value` takes them. */
  readonly params: () => Readonly<Record<string, string>>;
  /** Plan in the background, for hints and hovers. */
  readonly plan: () => boolean;
  /** A machine of the catalogue to plan for. */
  readonly machine: () => string | undefined;
  /** Takes what is well formed, and leaves the rest as it was. */
  readonly update: (given: unknown) => void;
}

export function openSettings(): Settings {
  let params: Readonly<Record<string, string>> = {};
  let plan = true;
  let machine: string | undefined;
  return {
    params: () => params,
    plan: () => plan,
    machine: () => machine,
    update(given) {
      if (!isJson(given)) return;
      const section = isJson(given['ftpc']) ? given['ftpc'] : given;
      if (isJson(section['params']))
        params = Object.fromEntries(
          Object.entries(section['params']).map(([name, value]) => [name, String(value)]),
        );
      if (typeof section['plan'] === 'boolean') plan = section['plan'];
      if (typeof section['machine'] === 'string')
        machine = section['machine'] === '' ? undefined : section['machine'];
    },
  };
}
