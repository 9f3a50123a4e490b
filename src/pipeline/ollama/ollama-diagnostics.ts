/** FTP2140–2144: what can go wrong where a release becomes a model of Ollama. */
import type { OllamaRefusal } from '../../compute/packaging/servers/index.js';
import { error } from '../../language/diagnostics/make.js';

export const ollamaAway = (endpoint: string, detail: string) =>
  error('FTP2140', undefined, `Ollama at ${endpoint} cannot be reached`, {
    notes: [detail],
    help: 'start it: `ollama serve`; OLLAMA_HOST names another server',
  });

export const ollamaCannot = (name: string, { why, help }: OllamaRefusal) =>
  error('FTP2141', undefined, `Ollama can make no model \`${name}\` of this release`, {
    notes: [why],
    help: help ?? 'publish it to `directory("…")` or `hub("…")`',
  });

export const ollamaRefused = (name: string, said: string) =>
  error('FTP2142', undefined, `Ollama did not make \`${name}\``, {
    notes: [`Ollama says: ${said}`],
    help: 'the model of this name is as it was; run again once the cause is gone: what was uploaded is kept',
  });

export const ollamaOther = (name: string, what: string) =>
  error('FTP2143', undefined, `Ollama has \`${name}\`, but ${what}`, {
    help: 'run again; if this repeats, another program changes the model, or the version of Ollama is too old',
  });

export const ollamaSilent = (name: string, prompt: string, why: string) =>
  error('FTP2144', undefined, `\`${name}\` of Ollama does not answer ${JSON.stringify(prompt)}: ${why}`, {
    help: 'ask it yourself: `ollama run`; compare its answer with that of `ftpc generate`',
  });
