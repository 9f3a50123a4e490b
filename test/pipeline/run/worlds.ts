import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Diagnostic } from '../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { RunEvent } from '../../../src/language/ir/events.js';
import type { Program } from '../../../src/language/ir/program.js';
import type { Plan } from '../../../src/pipeline/planner/plan-json.js';
import type { RunRequest } from '../../../src/pipeline/run/request.js';

export function freshFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ftpc-run-')));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const span = { file: 'tiny.ftp', start: 0, end: 1 };

export const program = (cwd: string, parts: Partial<Program> = {}): Program => ({
  file: 'tiny.ftp',
  name: 'tiny',
  folder: cwd,
  stages: [],
  budgets: [],
  params: {},
  ...parts,
});

export const emptyPlan = (parts: Partial<Plan> = {}): Plan => ({
  version: 1,
  pipeline: 'tiny.ftp',
  engine: 'embedded',
  engineSetBy: 'auto',
  machine: { name: 'here', memoryBytes: 1e9, availableBytes: 9e8, devices: [] },
  runtime: 'onnx',
  runtimeSetBy: 'auto',
  valid: true,
  stages: [],
  totals: { peakBytes: null, seconds: null, diskBytes: 0 },
  parallel: { stages: 1, by: 'auto', memoryBytes: 9e8, seconds: null, peakBytes: 0 },
  cost: { gpus: 0, usdPerHour: null, by: null, priced: null, usd: null, gpuHours: null },
  budget: [],
  diagnostics: [],
  ...parts,
});

export const request = (
  cwd: string,
  prepared: Awaited<ReturnType<RunRequest['prepare']>>,
  parts: Partial<RunRequest> = {},
): RunRequest => ({
  pipeline: 'tiny.ftp',
  host: nodeHost(cwd),
  engine: { name: 'embedded' },
  runtime: 'onnx',
  ftpc: '0.0.0',
  threads: 1,
  verify: false,
  prepare: async () => prepared,
  describe: ({ code, severity, message }) => ({ code, severity, message }),
  ...parts,
});

export function recorder() {
  const events: RunEvent[] = [];
  const diagnostics: Diagnostic[] = [];
  return {
    events,
    diagnostics,
    event: (event: RunEvent) => void events.push(event),
    diagnostic: (diagnostic: Diagnostic) => void diagnostics.push(diagnostic),
    types: () => events.map(({ type }) => type),
    codes: () => diagnostics.map(({ code }) => code),
  };
}

export const calm = { stop: new AbortController().signal, kill: new AbortController().signal };
