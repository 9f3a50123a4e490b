/** Patterns that may try many ways to match a text are tried before others depend on them. */
import { splitsTexts } from '../../libraries/try-pattern.js';
import { PATTERNS } from '../gguf/vocabularies.js';
import { StepError, shown } from './steps.js';

/** Those that need no try, or have had one. */
const known = new Set(PATTERNS);

/** Throws a {@link StepError} for the first that ends the process, or takes long. */
export async function tryPatterns(patterns: readonly string[]): Promise<void> {
  for (const pattern of patterns.filter((one) => !known.has(one))) {
    if (!(await splitsTexts(pattern)))
      throw new StepError(`its pattern ${shown(pattern)} tries too many ways to match a text`);
    known.add(pattern);
  }
}
