import { pathToFileURL } from 'node:url';
import { type SarifRule, sarifLog } from '../../language/diagnostics/render/sarif.js';
import type { Diagnostic, Severity } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { ftpcVersion } from '../../language/host/version.js';
import { rules, type SuppressedFinding } from '../../language/lint/index.js';
import type { SourceMap } from '../../language/source/text.js';
import { errorPage } from '../insight/error-pages.js';

/** `ftpc check --sarif`: what the pages in `docs/errors` say goes with each code. */
export function sarifText(
  host: Host,
  diagnostics: readonly Diagnostic[],
  suppressed: readonly SuppressedFinding[],
  sources: SourceMap,
): string {
  const root = `${pathToFileURL(host.cwd).href.replace(/\/$/, '')}/`;
  const log = sarifLog({
    version: ftpcVersion(host),
    diagnostics,
    suppressed,
    sources,
    rule: (code) => ruleOf(code, host),
    root,
  });
  return JSON.stringify(log, null, 2);
}

function ruleOf(code: string, host: Host): SarifRule {
  const page = errorPage(host, code);
  const lint = rules.find((rule) => rule.code === code);
  return {
    code,
    title: page?.title || code,
    page: page?.body || code,
    ...(lint === undefined ? {} : { id: lint.id, level: severityOf(lint.level) }),
  };
}

const severityOf = (level: (typeof rules)[number]['level']): Severity | undefined =>
  level === 'off' ? undefined : level;
