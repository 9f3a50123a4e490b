/** FTP2133–2139: what can go wrong where a release is published to the Hub. */
import { error } from '../../../language/diagnostics/make.js';

/** `said`: what the server says about it. */
const notes = (said: string | undefined): readonly string[] =>
  said === undefined ? [] : [`the Hub says: ${said}`];

export const noWrite = (id: string, said?: string) =>
  error('FTP2133', undefined, `the token may not write to \`${id}\``, {
    notes: notes(said),
    help: `use a token with the right to write to the repositories of \`${id.split('/')[0]}\`, in the variable that the secret names`,
  });

export const noSpace = (id: string, said?: string) =>
  error('FTP2134', undefined, `the Hub takes no more files for \`${id}\``, {
    notes: notes(said),
    help: 'nothing was published: free storage of the account, or publish a smaller type of weights',
  });

export const refusedWrite = (id: string, said: string) =>
  error('FTP2135', undefined, `the Hub refused to publish \`${id}\``, {
    notes: notes(said),
    help: 'nothing was published, and what was uploaded is kept for the next run; `HF_ENDPOINT` names another server',
  });

export const otherContent = (id: string, file: string, detail: string) =>
  error('FTP2136', undefined, `\`${file}\` in \`${id}\` is not what was published: ${detail}`, {
    help: 'run again; if this repeats, look at the files on the page of the repository',
  });

export const offlineTarget = (id: string) =>
  error('FTP2137', undefined, `HF_HUB_OFFLINE keeps \`${id}\` from being published`, {
    help: 'unset HF_HUB_OFFLINE, or publish to `directory("…")`',
  });
