/** What a status other than success means, in the Hub's terms. */
import { failedAnswer, noAccess, notOnHub } from '../../language/diagnostics/catalogue/hub.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Repository } from '../../language/schemas/repositories.js';
import { type Answer, TransientError } from './request.js';
import type { HubAccess } from './types.js';

/** Statuses that may pass. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** Throws a {@link TransientError} or a `UserError`; the Hub says in a header which of several things a status means. */
export function failOn(answer: Answer, repository: Repository, access: HubAccess, file?: string): never {
  const { status, headers } = answer.response;
  answer.close();
  // The address that the Hub gives for large files is good for a while only; the next try asks for another.
  const isElsewhere = new URL(answer.url).origin !== new URL(access.endpoint).origin;
  if (isElsewhere && status === 403) throw new TransientError('the storage of the Hub refused', false);
  if (PASSING.has(status)) throw new TransientError(`status ${status}`, false, waitOf(headers));
  const meaning = headers.get('x-error-code') ?? '';
  const gated = meaning === 'GatedRepo';
  // The Hub hides what a caller may not see: a private repository is “not found” or 401 for the rest.
  if (status === 401 || status === 403)
    throw new UserError(noAccess(repository, { gated, withToken: access.token !== undefined }));
  if (status === 404) throw new UserError(notOnHub(repository, what(meaning, file)));
  throw new UserError(failedAnswer(repository, `status ${status}`));
}

function what(
  meaning: string,
  file: string | undefined,
): 'repository' | 'revision' | { readonly file: string } {
  if (meaning === 'RevisionNotFound') return 'revision';
  return file === undefined || meaning === 'RepoNotFound' ? 'repository' : { file };
}

/** `Retry-After` in milliseconds; it is seconds or a date. */
function waitOf(headers: Headers): number {
  const seconds = Number(headers.get('retry-after') ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}
