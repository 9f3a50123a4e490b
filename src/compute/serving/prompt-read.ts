/** Prompts that are read, in a session of their own: one of them a piece at a time, or several at once. */
import { paddedLength } from '../models/decoder/extension.js';
import type { Decoder, DecodeSession } from '../models/decoder/types.js';
import { type Distribution, distributionOf, ECHOED_TOKENS } from './logprobs.js';
import type { HeldBlock, PrefixCache } from './prefix-cache.js';
import type { ServedAnswer } from './served-answer.js';

interface ReadParts {
  readonly decoder: Pick<Decoder, 'session'>;
  readonly contextTokens: number;
}

/** A prompt that waits to be read. */
export interface UnreadPrompt {
  readonly answer: ServedAnswer;
  /** One that had to give way goes on after its answer so far. */
  readonly text: Int32Array;
  /** What it begins with and was read before. */
  readonly held: readonly HeldBlock[];
  /** Tokens that are left to be read. */
  readonly left: number;
}

export function unread(answer: ServedAnswer, prefixes: PrefixCache): UnreadPrompt {
  const text = answer.known;
  const held = answer.echoes ? [] : prefixes.find(text);
  return { answer, text, held, left: text.length - tokensOf(held) };
}

const tokensOf = (held: readonly HeldBlock[]): number => held.reduce((sum, { ids }) => sum + ids.length, 0);

export class PromptRead {
  /** Tokens that were read, or held from before, of the only prompt or of all. */
  tokens = 0;
  /** Tokens that were computed, with those to which rows are padded. */
  computed = 0;
  private opened: DecodeSession | undefined;
  private readonly every: { readonly logit: number; readonly distribution: Distribution }[] = [];

  /** Several are read at once, and none of them is echoed. */
  constructor(
    private readonly parts: ReadParts,
    private readonly prefixes: PrefixCache,
    private readonly prompts: readonly UnreadPrompt[],
  ) {}

  /** In the order of the session's rows. */
  get answers(): readonly ServedAnswer[] {
    return this.prompts.map(({ answer }) => answer);
  }

  get session(): DecodeSession {
    if (this.opened === undefined) throw new RangeError('nothing was read yet');
    return this.opened;
  }

  /** Reads at most so many tokens of one prompt, or several; gives the logits `[prompts, vocab]` when all is read. */
  async read(most: number): Promise<Float32Array | undefined> {
    const session = this.opened ?? (await this.begin());
    const [first, ...others] = this.prompts;
    const logits =
      first !== undefined && others.length === 0
        ? await this.readPiece(first, session, most)
        : await this.readAll(session);
    if (logits === undefined) return undefined;
    if (session.extends)
      for (const [row, { text }] of this.prompts.entries())
        this.prefixes.add(text, (start, end) => session.read(row, start, end));
    return logits;
  }

  async release(): Promise<void> {
    await this.opened?.release();
  }

  private async readAll(session: DecodeSession): Promise<Float32Array> {
    const logits = await session.append(
      this.prompts.map(({ text, left }) => text.subarray(text.length - left)),
    );
    this.tokens = this.prompts.reduce((sum, { text }) => sum + text.length, 0);
    this.computed += this.prompts.length * paddedLength(this.prompts.map(({ left }) => left));
    return logits;
  }

  private async readPiece(
    { answer, text }: UnreadPrompt,
    session: DecodeSession,
    most: number,
  ): Promise<Float32Array | undefined> {
    const isMeasured = answer.echoes && answer.request.logprobs !== undefined;
    const length = isMeasured ? Math.min(most, ECHOED_TOKENS) : most;
    const piece = session.extends ? text.subarray(this.tokens, this.tokens + length) : text;
    const logits = await session.append([piece], isMeasured ? 'every' : 'last');
    if (isMeasured) this.note(answer, text, piece, logits);
    this.tokens += piece.length;
    this.computed += piece.length;
    if (this.tokens < text.length) return undefined;
    if (answer.echoes) answer.echo(this.every);
    return isMeasured ? logits.subarray(logits.length - logits.length / piece.length) : logits;
  }

  private async begin(): Promise<DecodeSession> {
    const session = await this.parts.decoder.session(this.prompts.length, this.parts.contextTokens);
    this.opened = session;
    const held = this.prompts.map((prompt) => prompt.held);
    if (held.some(({ length }) => length > 0)) await session.restore(held);
    this.tokens = held.reduce((sum, blocks) => sum + tokensOf(blocks), 0);
    for (const { answer, held: blocks } of this.prompts) answer.start(tokensOf(blocks));
    return session;
  }

  /** What the logits `[piece, vocab]` say of the tokens that follow those of the piece. */
  private note(answer: ServedAnswer, text: Int32Array, piece: Int32Array, logits: Float32Array): void {
    const vocab = logits.length / piece.length;
    const { logprobs } = answer.request;
    piece.forEach((_, at) => {
      const next = text[this.tokens + at + 1];
      if (next === undefined || logprobs === undefined) return;
      const row = logits.subarray(at * vocab, (at + 1) * vocab);
      this.every.push({ logit: row[next] ?? 0, distribution: distributionOf(row, logprobs) });
    });
  }
}
