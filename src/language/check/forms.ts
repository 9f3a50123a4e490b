/** Strings of a certain form, such as names on a model hub. */
import { badRepository, badRevision } from '../diagnostics/catalogue/hub.js';
import { emptyText } from '../diagnostics/catalogue/values.js';
import { isRepositoryId, isRevision } from '../schemas/repositories.js';
import type { Span } from '../source/span.js';
import type { Context } from './context.js';

const FORMS = {
  repository: { holds: isRepositoryId, wrong: badRepository },
  revision: { holds: isRevision, wrong: badRevision },
  filled: { holds: (text: string) => text !== '', wrong: emptyText },
} as const;

/** The text as written, where it has the form. */
export function checkForm(
  text: string,
  form: keyof typeof FORMS,
  span: Span,
  context: Context,
): string | undefined {
  const { holds, wrong } = FORMS[form];
  return holds(text) ? text : context.report(wrong(span, text));
}
