/** Which runtime is asked for, and by whom: the command line goes before the pipeline, and that before `auto`. */
import type { AskedRuntime, RuntimeChoice } from '../ir/runtimes.js';
import type { Program } from '../ir/types.js';

/** `option`: that of the command line, where it is given. The check has seen to it that budgets ask for one alone. */
export function askedRuntime(option: RuntimeChoice | undefined, program: Program | undefined): AskedRuntime {
  if (option !== undefined) return { choice: option, by: option === 'auto' ? 'auto' : 'option' };
  const [choice = 'auto'] = (program?.budgets ?? []).flatMap(({ settings }) => settings['runtime'] ?? []);
  return { choice: choice as RuntimeChoice, by: choice === 'auto' ? 'auto' : 'pipeline' };
}
