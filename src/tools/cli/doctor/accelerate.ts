/** Checks of the accelerate engine: the Python that it would compute with, and what that has. */
import { lookAtPython, ORIGINS, problemOf } from '../../../compute/accelerate/environment.js';
import { PACKAGE_NAMES } from '../../../compute/accelerate/packages.js';
import { environmentMissing } from '../../../language/diagnostics/catalogue/environment.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Check } from './checks.js';

/** Nothing but the accelerate engine needs a Python; one that is named has to be of use. */
const python: Check = async (host, options) => {
  const name = 'python';
  try {
    const found = lookAtPython(host, options.python);
    if (found === undefined) {
      const help = environmentMissing().help;
      return { name, state: 'note', detail: 'none for the accelerate engine; nothing else needs one', help };
    }
    const packages = PACKAGE_NAMES.flatMap((one) => {
      const version = found.packages[one];
      return version === undefined ? [] : [`${one} ${version}`];
    });
    const detail = [`${found.version} of ${ORIGINS[found.origin]}: ${found.python}`, packages.join(', ')]
      .filter((part) => part !== '')
      .join('; ');
    const problem = problemOf(found);
    return problem === undefined
      ? { name, state: 'ok', detail }
      : { name, state: 'failed', detail: `${problem.message}; ${detail}`, help: problem.help };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message, help } = error.diagnostic;
    return { name, state: 'failed', detail: message, help };
  }
};

export const accelerate: readonly Check[] = [python];
