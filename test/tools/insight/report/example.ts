import type { ReportInput } from '../../../../src/tools/insight/report/input.js';

const STEPS = 120;
/** Text that would break a page which does not escape it. */
export const HOSTILE = '</pre><script>alert("1")</script> & \'x\'';

const steps = Array.from({ length: STEPS }, (_, index) => ({
  step: index + 1,
  epoch: index / 60,
  loss: 3.4 * Math.exp(-index / 40) + 0.6 + 0.1 * Math.sin(index * 1.7),
  learningRate: 2e-3 * Math.min(1, (index + 1) / 6) * (0.5 + 0.5 * Math.cos((Math.PI * index) / STEPS)),
  gradNorm: 1.5 + Math.sin(index / 3),
  tokensPerSecond: 900 + 40 * Math.cos(index),
}));

const validations = [30, 60, 90, 120].map((step) => ({
  step,
  loss: 3.3 * Math.exp(-step / 42) + 0.7,
  best: true,
  metrics: { rouge_l: 1 - Math.exp(-step / 60) },
}));

const memory = (bytes: number) => ({
  bytes,
  low: bytes * 0.97,
  high: bytes * 1.03,
  parts: {
    weights: bytes * 0.5,
    adapter: bytes * 0.02,
    gradients: bytes * 0.02,
    optimizer: bytes * 0.04,
    activations: bytes * 0.2,
    logits: bytes * 0.05,
    workspace: bytes * 0.07,
    runtime: bytes * 0.1,
  },
});

export const example: ReportInput = {
  checklist: {
    ...{ version: 1, pipeline: 'pipelines/legal.ftp', run: null },
    ...{ done: 1, open: 1, waiting: 0, unknown: 0 },
    items: [
      {
        ...{ id: 'losses', phase: 'during training', text: 'Losses are watched', state: 'done' },
        evidence: [{ text: '`validate = dialogs.valid`', at: { file: 'legal.ftp', line: 36, column: 3 } }],
      },
      {
        ...{ id: 'safety', phase: 'after training', text: 'Harmful output is tested for', state: 'open' },
        ...{ evidence: [], todo: 'write an `eval` stage' },
      },
    ],
  },
  ran: {
    params: [{ name: 'smoke', value: 'true', from: '-p smoke=true', doc: 'Only some of the `rows`.' }],
    stages: [
      {
        name: 'adapter',
        kind: 'train',
        settings: [
          {
            path: 'lora.rank',
            written: 'smoke ? 8 : 16',
            effective: '8',
            from: 'param',
            setBy: '-p smoke (pipelines/legal.ftp:37:18)',
          },
          {
            path: 'batch.micro',
            effective: '4',
            from: 'planner',
            setBy: 'the planner',
            why: 'the stage then needs 410 MiB (at most 422 MiB) of 15.0 GiB',
          },
          {
            path: 'seed',
            written: '17',
            effective: '17',
            from: 'author',
            setBy: 'pipelines/legal.ftp:44:10',
          },
          { path: 'order', effective: 'shuffled', from: 'default', setBy: 'default' },
        ],
      },
    ],
    machine: { name: 'laptop', cpu: 'a processor', cores: 8, load: 0, memoryBytes: 16 * 2 ** 30 },
    system: 'linux x64, Node.js 20.20.0',
    threads: 4,
  },
  curves: [{ name: 'adapter', steps, validations }],
  events: [
    {
      type: 'run.started',
      version: 1,
      runId: '20261125-021354-1a2b',
      pipeline: 'pipelines/legal.ftp',
      engine: 'embedded',
      runtime: 'onnx 1.30.0',
      ftpc: '0.1.0',
      commit: { id: '0123456789abcdef0123456789abcdef01234567', changed: true },
      at: Date.UTC(2026, 10, 25, 2, 13, 54),
    },
    { type: 'recovery', stage: 'adapter', cause: 'no memory for step 12', change: { microBatch: 4 } },
    {
      type: 'diagnostic',
      code: 'FTP0822',
      severity: 'error',
      message: `the gate is closed: ${HOSTILE}`,
      file: 'pipelines/legal.ftp',
      line: 52,
    },
    {
      type: 'run.finished',
      status: 'gate_failed',
      seconds: 412.4,
      stages: [
        {
          name: 'clauses',
          kind: 'data',
          status: 'cached',
          seconds: 0,
          peakMemoryBytes: 131e6,
          outputs: {},
          metrics: { rows: 812, dropped: 0.031 },
        },
        {
          name: 'adapter',
          kind: 'train',
          status: 'done',
          seconds: 340,
          peakMemoryBytes: 402e6,
          outputs: {},
          metrics: { loss: 0.71, valid_loss: 0.88, steps: STEPS },
        },
        {
          name: 'quality',
          kind: 'eval',
          status: 'failed',
          seconds: 61,
          peakMemoryBytes: 220e6,
          outputs: {},
          metrics: { perplexity: 2.41, 'baseline.perplexity': 31.7 },
        },
        {
          name: 'local',
          kind: 'deploy',
          status: 'blocked',
          seconds: 0,
          peakMemoryBytes: 0,
          outputs: {},
          metrics: {},
        },
      ],
    },
  ],
  plan: {
    version: 1,
    pipeline: 'pipelines/legal.ftp',
    engine: 'embedded',
    engineSetBy: 'auto',
    machine: { name: 'laptop', memoryBytes: 16 * 2 ** 30, availableBytes: 15 * 2 ** 30, devices: [] },
    runtime: 'onnx 1.30.0',
    runtimeSetBy: 'auto',
    valid: true,
    stages: ['adapter', 'quality'].map((name, index) => ({
      name,
      kind: index === 0 ? ('train' as const) : ('eval' as const),
      action: 'run' as const,
      reasons: [],
      peak: memory(index === 0 ? 410e6 : 231e6),
      seconds: null,
      diskBytes: 0,
      chosen: null,
      rejected: [],
      effective: {},
      scale: null,
      key: 'a'.repeat(64),
      parts: {},
    })),
    totals: { peakBytes: 410e6, seconds: null, diskBytes: 0 },
    parallel: { stages: 1, by: 'auto', memoryBytes: 9e8, seconds: null, peakBytes: 410e6 },
    cost: { gpus: 0, usdPerHour: null, by: null, priced: null, usd: null, gpuHours: null },
    budget: [],
    diagnostics: [],
  },
  rows: {
    clauses: {
      rows: 838,
      kept: 812,
      counts: { duplicate: 17, near_duplicate: 6, malformed: 3 },
      dropped: [
        {
          file: 'pipelines/data/legal/mit.jsonl',
          line: 12,
          reason: 'duplicate',
          detail: 'the same as line 3',
        },
        { file: 'pipelines/data/legal/gpl.jsonl', line: 90, reason: 'malformed', detail: HOSTILE },
      ],
      warnings: [
        {
          file: 'pipelines/data/legal/gpl.jsonl',
          line: 91,
          reason: 'contradiction',
          detail: 'answers line 4 differently',
        },
      ],
    },
  },
  lengths: {
    clauses: [
      { split: 'train', width: 16, counts: [0, 12, 80, 190, 260, 150, 70, 30, 12, 6, 1, 0, 0, 2, 1] },
    ],
  },
  evaluations: {
    quality: {
      version: 1,
      stage: 'quality',
      model: { label: 'adapter.best', storage: 'stored' },
      baselineModel: { label: 'starter', storage: 'stored' },
      rows: 64,
      tokens: 1900,
      answered: 64,
      generation: { maxTokens: 32, sampling: { temperature: 0.7, topP: 0.9, seed: 17 }, stop: ['\n'] },
      metrics: { perplexity: 2.41, exact_match: 0.58 },
      baseline: { perplexity: 31.7, exact_match: 0 },
      intervals: { perplexity: [2.2, 2.66], exact_match: [0.46, 0.69] },
      baselineIntervals: { perplexity: [28.1, 36.2], exact_match: [8.57e-19, 0.057] },
      differences: {
        perplexity: { value: -29.29, low: -33.9, high: -25.6 },
        exact_match: { value: 0.58, low: 0.46, high: 0.7 },
      },
      counted: { perplexity: 64, exact_match: 64 },
      requires: [
        {
          require: 'perplexity < baseline.perplexity',
          holds: true,
          value: 2.41,
          limit: 31.7,
          operator: '<',
          sentence: 'perplexity = 2.41, needs < 31.7',
        },
        {
          require: 'exact_match >= 60%',
          holds: false,
          value: 0.58,
          limit: 0.6,
          operator: '>=',
          sentence: 'exact_match = 0.58, needs >= 0.6',
        },
      ],
      samples: [
        {
          file: 'a.jsonl',
          line: 3,
          prompt: 'Is the MIT License approved by the OSI?',
          reference: 'Yes.',
          baseline: 'the of a',
          answer: 'Yes.',
        },
        {
          file: 'a.jsonl',
          line: 4,
          prompt: HOSTILE,
          reference: 'No.',
          baseline: 'licence licence licence',
          answer: HOSTILE,
        },
      ],
    },
  },
  manifest: [
    {
      stage: 'adapter',
      key: 'a'.repeat(64),
      files: { 'adapter/best/adapter_model.safetensors': { bytes: 913_412, sha256: 'c'.repeat(64) } },
    },
  ],
};
