/** Pipelines of one file over rows that are counted, not read. */
import { join } from 'node:path';
import { type CompileResult, compile } from '../../../src/language/compile.js';
import type { Diagnostic } from '../../../src/language/diagnostics/types.js';
import type { Host } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { type LintReport, lintReport } from '../../../src/language/lint/index.js';
import { overlayHost } from '../../helpers/overlay-host.js';

const folder = join(nodeHost().packageFolder, 'test/corpus/invalid');

export const rowsOf = (count: number): string => '{"instruction":"a","output":"b"}\n'.repeat(count);

export const BASE = `edition 2026

import { jsonl } from "std/data"
import { chat } from "std/format"
import { perplexity } from "std/eval"

data rows {
  source = jsonl("data/rows.jsonl")
  dedupe = [exact, near(0.9)]
  split = { train: 80%, valid: 10%, test: 10% }
  mix = { general: jsonl("data/general.jsonl"), share: 5% }
}

format dialogs {
  from = rows
  template = chat()
}

train adapter {
  base = starter()
  dataset = dialogs.train
  validate = dialogs.valid
  lora = { rank: 16, alpha: 32, dropout: 5% }
  optimizer = adamw(rate: 2e-4, schedule: cosine(warmup: 3%), clip: 1)
  stop = { epochs: 2, patience: 3 }
}

eval quality {
  model = adapter.best
  dataset = dialogs.test
  baseline = starter()
  metrics = [perplexity]
  require perplexity < baseline.perplexity
}

deploy local {
  model = adapter.best
  when = quality.passed
  target = directory("releases/local")
}
`;

export interface Linted {
  readonly host: Host;
  readonly compiled: CompileResult;
  readonly report: LintReport;
  /** Ids of the rules, and codes of what is no rule's. */
  readonly found: readonly string[];
}

export function linted(
  text: string,
  files: Readonly<Record<string, string>> = {},
  params: Readonly<Record<string, string>> = {},
): Linted {
  const host = overlayHost(folder, {
    'pipeline.ftp': text,
    'data/rows.jsonl': rowsOf(4000),
    'data/general.jsonl': rowsOf(1000),
    ...files,
  });
  const compiled = compile(host, 'pipeline.ftp', { params });
  const report = lintReport(compiled, host);
  return { host, compiled, report, found: report.diagnostics.map(idOf) };
}

const idOf = ({ rule, code }: Diagnostic): string => rule ?? code;

/** The pipeline with parts of it replaced; each must be there. */
export function changed(...edits: readonly (readonly [from: string, to: string])[]): string {
  return edits.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`no ${from} in the pipeline`);
    return text.replace(from, () => to);
  }, BASE);
}
