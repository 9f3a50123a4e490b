/** A prompt that is read, a piece at a time, in a session of its own. */
import type { Decoder, DecodeSession } from '../models/decoder/types.js';
import { type Distribution, distributionOf } from './logprobs.js';
import type { PrefixCache } from './prefix-cache.js';
import type { ServedAnswer } from './served-answer.js';

export interface ReadParts {
  readonly decoder: Pick<Decoder, 'session'>;
  readonly contextTokens: number;
}

export class PromptRead {
  /** Tokens that were read, or held from before. */
  tokens = 0;
  private opened: DecodeSession | undefined;
  private readonly text: Int32Array;
  private readonly every: { readonly logit: number; readonly distribution: Distribution }[] = [];

  constructor(
    private readonly parts: ReadParts,
    private readonly prefixes: PrefixCache,
    readonly answer: ServedAnswer,
  ) {
    // one that had to give way goes on after its answer so far
    this.text = answer.known;
  }

  get session(): DecodeSession {
    if (this.opened === undefined) throw new RangeError('nothing was read yet');
    return this.opened;
  }

  /** Reads at most so many tokens; gives the logits `[vocab]` after the last one, when it has been read. */
  async read(most: number): Promise<Float32Array | undefined> {
    const { answer, text } = this;
    const session = this.opened ?? (await this.begin());
    const isEchoed = this.echoes;
    const piece = session.extends ? text.subarray(this.tokens, this.tokens + most) : text;
    const logits = await session.append([piece], isEchoed ? 'every' : 'last');
    if (isEchoed) this.note(piece, logits);
    this.tokens += piece.length;
    if (this.tokens < text.length) return undefined;
    if (isEchoed) answer.echo(this.every);
    if (session.extends) this.prefixes.add(text, (start, end) => session.read(0, start, end));
    return isEchoed ? logits.subarray(logits.length - logits.length / piece.length) : logits;
  }

  async release(): Promise<void> {
    await this.opened?.release();
  }

  /** Whether the prompt is part of what is given: then all of it is computed. */
  private get echoes(): boolean {
    const { request, answerTokens } = this.answer;
    return request.echo === true && answerTokens === 0;
  }

  private async begin(): Promise<DecodeSession> {
    const session = await this.parts.decoder.session(1, this.parts.contextTokens);
    this.opened = session;
    const found = session.extends && !this.echoes ? this.prefixes.find(this.text) : [];
    if (found.length > 0) await session.restore(found);
    this.tokens = found.reduce((sum, { ids }) => sum + ids.length, 0);
    this.answer.start(this.tokens);
    return session;
  }

  /** What the logits `[piece, vocab]` say of the tokens that follow those of the piece. */
  private note(piece: Int32Array, logits: Float32Array): void {
    const vocab = logits.length / piece.length;
    const { logprobs } = this.answer.request;
    piece.forEach((_, at) => {
      const next = this.text[this.tokens + at + 1];
      if (next === undefined || logprobs === undefined) return;
      const row = logits.subarray(at * vocab, (at + 1) * vocab);
      this.every.push({ logit: row[next] ?? 0, distribution: distributionOf(row, logprobs) });
    });
  }
}
