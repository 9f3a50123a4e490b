/** What the journal of requests holds. */
import * as v from 'valibot';
import { count, finite, type JsonOf, version } from '../../../language/host/json.js';

/** Groups of users: enough for the variance between them to be known, and too few to tell who someone is. */
export const USER_GROUPS = 4096;

const REQUEST = v.object({
  version: version(1),
  type: v.literal('request'),
  /** Milliseconds since the epoch: when it ended. */
  at: finite,
  id: v.string(),
  endpoint: v.picklist(['chat', 'completions']),
  /** Number of the release, 0 for a model that is no release; null where the request was refused before it had one. */
  release: v.nullable(count),
  role: v.nullable(v.picklist(['current', 'canary', 'only'])),
  /** Of users, 0 to 4095. */
  group: count,
  status: count,
  reason: v.string(),
  errorCode: v.optional(v.string()),
  streamed: v.boolean(),
  promptTokens: count,
  cachedTokens: count,
  answerTokens: count,
  queueSeconds: finite,
  firstTokenSeconds: v.optional(finite),
  seconds: finite,
  repetition: v.optional(finite),
  refusal: v.optional(v.boolean()),
  /** Only where the server was asked to write them down. */
  prompt: v.optional(v.unknown()),
  answers: v.optional(v.array(v.string())),
});
export type RequestLine = JsonOf<typeof REQUEST>;

const FEEDBACK = v.object({
  version: version(1),
  type: v.literal('feedback'),
  at: finite,
  /** Of the request. */
  id: v.string(),
  release: v.nullable(count),
  group: count,
  thumbs: v.picklist(['up', 'down']),
  /** What it was before, where the opinion changed. */
  before: v.optional(v.picklist(['up', 'down'])),
  reason: v.optional(v.string()),
});
export type FeedbackLine = JsonOf<typeof FEEDBACK>;

export const JOURNAL_LINE = v.variant('type', [REQUEST, FEEDBACK]);
export type TrafficLine = RequestLine | FeedbackLine;
