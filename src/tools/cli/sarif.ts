import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type SarifRule, sarifLog } from '../../language/diagnostics/render/sarif.js';
import type { Diagnostic, Severity } from '../../language/diagnostics/types.js';
import { type Host, HostError } from '../../language/host/host.js';
import { ftpcVersion } from '../../language/host/version.js';
import { rules, type SuppressedFinding } from '../../language/lint/index.js';
import type { SourceMap } from '../../language/source/text.js';

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
  const page = pageOf(code, host);
  const lint = rules.find((rule) => rule.code === code);
  const [first = '', ...rest] = page.split('\n');
  return {
    code,
    title: first.replace(/^#\s*(FTP\d{4}:?\s*)?/, '') || code,
    page: rest.join('\n').trim() || code,
    ...(lint === undefined ? {} : { id: lint.id, level: severityOf(lint.level) }),
  };
}

const severityOf = (level: (typeof rules)[number]['level']): Severity | undefined =>
  level === 'off' ? undefined : level;

function pageOf(code: string, host: Host): string {
  try {
    return host.readText(join(host.packageFolder, 'docs', 'errors', `${code}.md`));
  } catch (error) {
    if (error instanceof HostError) return '';
    throw error;
  }
}
