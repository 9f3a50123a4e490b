/** Metrics in Prometheus' text format. Where vLLM has one, it is called as there, so that its dashboards work. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { AnswerFigures } from './answer-figures.js';
import type { TrafficLine } from './request-line.js';

export interface ReleaseLoad {
  readonly release: number;
  readonly role: string;
  readonly share: number;
  readonly running: number;
  readonly waiting: number;
}

/** Of requests, or of the evaluation before the release. */
type AnswerSource = 'served' | 'evaluated';

export interface Metrics {
  readonly contentType: string;
  add(line: TrafficLine): void;
  /** `loads`: of the releases at this moment, whose answers are like `answers`. */
  text(
    loads: readonly ReleaseLoad[],
    unwritten: number,
    answers?: (release: number) => Readonly<Record<AnswerSource, AnswerFigures>>,
  ): Promise<string>;
}

/** Seconds, as vLLM's. */
const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320];
const TOKENS = [1, 4, 16, 64, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768];

/** Codes that are told apart: others would let a client make series without end. */
const CODES = new Set([
  'queue_full',
  'rate_limit_exceeded',
  'invalid_api_key',
  'context_length_exceeded',
  'model_not_found',
  'invalid_request_error',
  'server_error',
  'timeout',
]);

/** `model`: the label `model_name`. */
export function prometheus(model: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ model_name: model });
  collectDefaultMetrics({ register: registry });
  const made = metricsIn(registry);
  return {
    contentType: registry.contentType,
    add: (line) => addLine(made, line),
    text: async (loads, unwritten, answers) => {
      for (const each of [made.running, made.waiting, made.share, made.lengths, made.quality]) each.reset();
      for (const { release: number, role, share, running, waiting } of loads) {
        const release = String(number);
        made.running.inc({ release }, running);
        made.waiting.inc({ release }, waiting);
        made.share.inc({ release, role }, share);
        for (const [source, figures] of Object.entries(answers?.(number) ?? {}))
          setFigures(made, { release, source }, figures);
      }
      made.unwritten.set(unwritten);
      return registry.metrics();
    },
  };
}

function metricsIn(registry: Registry): Made {
  const registers = [registry];
  const labelNames = ['release'] as const;
  const counter = <L extends string>(name: string, help: string, more: readonly L[]) =>
    new Counter<L | 'release'>({ name, help, labelNames: [...labelNames, ...more], registers });
  const histogram = (name: string, help: string, buckets: readonly number[]) =>
    new Histogram<'release'>({ name, help, labelNames: [...labelNames], buckets: [...buckets], registers });
  const gauge = <L extends string>(name: string, help: string, more: readonly L[]) =>
    new Gauge<L | 'release'>({ name, help, labelNames: [...labelNames, ...more], registers });
  return {
    requests: counter('ftpc_requests_total', 'Requests that ended.', ['role', 'endpoint', 'status']),
    success: counter('vllm:request_success_total', 'Requests that were answered.', ['finished_reason']),
    errors: counter('ftpc_request_errors_total', 'Requests that failed, by the code of the error.', ['code']),
    promptTokens: counter('vllm:prompt_tokens_total', 'Tokens of prompts.', []),
    cached: counter(
      'vllm:prefix_cache_hits_total',
      'Tokens of prompts whose keys and values were there.',
      [],
    ),
    queries: counter('vllm:prefix_cache_queries_total', 'Tokens of prompts that were looked for.', []),
    answerTokens: counter('vllm:generation_tokens_total', 'Tokens of answers.', []),
    first: histogram('vllm:time_to_first_token_seconds', 'From request to first text.', SECONDS),
    duration: histogram('vllm:e2e_request_latency_seconds', 'From request to end of the answer.', SECONDS),
    queue: histogram('vllm:request_queue_time_seconds', 'Time that requests waited.', SECONDS),
    perToken: histogram('vllm:request_time_per_output_token_seconds', 'After the first, per token.', SECONDS),
    promptLength: histogram('vllm:request_prompt_tokens', 'Tokens per prompt.', TOKENS),
    answerLength: histogram('vllm:request_generation_tokens', 'Tokens per answer.', TOKENS),
    feedback: counter('ftpc_feedback_total', 'Opinions of answers.', ['thumbs']),
    refusals: counter('ftpc_refusals_total', 'Answers that decline, by rules.', []),
    repetition: histogram(
      'ftpc_answer_repetition',
      'Share of 4-grams that an answer had said before.',
      [0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1],
    ),
    running: gauge('vllm:num_requests_running', 'Requests that are computed.', []),
    waiting: gauge('vllm:num_requests_waiting', 'Requests that wait.', []),
    share: gauge('ftpc_release_share', 'Share of new requests.', ['role']),
    lengths: gauge('ftpc_answer_tokens', 'Tokens of answers: served, and in the evaluation.', [
      'source',
      'percentile',
    ]),
    quality: gauge('ftpc_answer_quality', 'Mean repetition and refusals: served, and in the evaluation.', [
      'source',
      'measure',
    ]),
    unwritten: new Gauge({
      name: 'ftpc_journal_unwritten',
      help: 'Lines of the journal that could not be written.',
      registers,
    }),
  };
}

/** What is not known is left out. */
function setFigures(
  { lengths, quality }: Made,
  labels: { readonly release: string; readonly source: string },
  { tokens, repetition, refusals }: AnswerFigures,
): void {
  if (tokens !== null) {
    lengths.set({ ...labels, percentile: '50' }, tokens.median);
    lengths.set({ ...labels, percentile: '95' }, tokens.p95);
  }
  for (const [measure, value] of Object.entries({ repetition, refusals }))
    if (value !== null) quality.set({ ...labels, measure }, value);
}

interface Made {
  readonly requests: Counter<'release' | 'role' | 'endpoint' | 'status'>;
  readonly success: Counter<'release' | 'finished_reason'>;
  readonly errors: Counter<'release' | 'code'>;
  readonly promptTokens: Counter<'release'>;
  readonly cached: Counter<'release'>;
  readonly queries: Counter<'release'>;
  readonly answerTokens: Counter<'release'>;
  readonly first: Histogram<'release'>;
  readonly duration: Histogram<'release'>;
  readonly queue: Histogram<'release'>;
  readonly perToken: Histogram<'release'>;
  readonly promptLength: Histogram<'release'>;
  readonly answerLength: Histogram<'release'>;
  readonly feedback: Counter<'release' | 'thumbs'>;
  readonly refusals: Counter<'release'>;
  readonly repetition: Histogram<'release'>;
  readonly lengths: Gauge<'release' | 'source' | 'percentile'>;
  readonly quality: Gauge<'release' | 'source' | 'measure'>;
  readonly running: Gauge<'release'>;
  readonly waiting: Gauge<'release'>;
  readonly share: Gauge<'release' | 'role'>;
  readonly unwritten: Gauge;
}

function addLine(made: Made, line: TrafficLine): void {
  const release = line.release === null ? 'none' : String(line.release);
  if (line.type === 'feedback') {
    // A counter never falls: an opinion that changed is another one.
    made.feedback.inc({ release, thumbs: line.thumbs });
    return;
  }
  const { role, endpoint, status, reason, errorCode, promptTokens, cachedTokens, answerTokens } = line;
  made.requests.inc({ release, role: role ?? 'none', endpoint, status: String(status) });
  if (status >= 400) {
    const code = errorCode !== undefined && CODES.has(errorCode) ? errorCode : 'other';
    made.errors.inc({ release, code });
  } else made.success.inc({ release, finished_reason: reason });
  made.promptTokens.inc({ release }, promptTokens);
  made.cached.inc({ release }, cachedTokens);
  made.queries.inc({ release }, promptTokens);
  made.answerTokens.inc({ release }, answerTokens);
  if (status >= 400) return;
  const { firstTokenSeconds: first, seconds, queueSeconds, refusal, repetition } = line;
  if (first !== undefined) made.first.observe({ release }, first);
  made.duration.observe({ release }, seconds);
  made.queue.observe({ release }, queueSeconds);
  if (first !== undefined && answerTokens > 1)
    made.perToken.observe({ release }, Math.max(0, seconds - first) / (answerTokens - 1));
  made.promptLength.observe({ release }, promptTokens);
  made.answerLength.observe({ release }, answerTokens);
  if (refusal === true) made.refusals.inc({ release });
  if (repetition !== undefined) made.repetition.observe({ release }, repetition);
}
