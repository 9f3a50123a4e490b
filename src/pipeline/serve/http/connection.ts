/** One connection: its requests are answered one after the other, and read as its client reads their answers. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** Bytes that are parsed at once: of thousands of requests that are sent together, some dozens. */
const SLICE = 1024;

/** Milliseconds in which a client takes some of its answer, or is given up. */
const STALL = 30_000;

/** Milliseconds that a client has to read why it was refused, while what it sends is thrown away. */
const LAST_WORDS = 2000;

/** A client that sends no more may wait for its answer, or be gone: only what is sent to it tells. Milliseconds. */
const PROBE = 2000;
const PROBES = 3;

/** Told by a connection. */
interface ConnectionReports {
  /** There is something that the client has not taken yet. */
  sending(connection: Connection): void;
  sent(connection: Connection): void;
  answered(connection: Connection): void;
  /** Does what other connections may be before. */
  inTurn(work: () => void): void;
}

type Answer = ServerResponse<IncomingMessage>;

/** The socket of a client, for Node's parser of HTTP. */
export class Connection extends Duplex {
  readonly #socket: Socket;
  readonly #reports: ConnectionReports;
  #current: { readonly request: IncomingMessage; readonly answer: Answer } | undefined;
  readonly #waiting: (() => void)[] = [];
  /** Read of the socket, and not parsed yet. */
  #unparsed = Buffer.alloc(0);
  #isAsked = false;
  #hasEnded = false;

  constructor(socket: Socket, reports: ConnectionReports) {
    super({ readableHighWaterMark: 1 });
    this.#socket = socket;
    this.#reports = reports;
    socket.on('readable', () => this.#feed());
    socket.on('end', () => {
      this.#hasEnded = true;
      if (this.writableEnded) socket.destroySoon();
      else this.#feed();
      this.#probe();
    });
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
    socket.on('timeout', () => (this.writableLength > 0 ? this.destroy() : this.emit('timeout')));
  }

  /** Of the client. */
  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  /** A request has come whole, and its answer is not complete. */
  get isBusy(): boolean {
    return this.#current?.request.complete === true;
  }

  setTimeout(milliseconds: number): this {
    this.#socket.setTimeout(milliseconds);
    return this;
  }

  /** Answers a request when those before it are answered, if the client is still there then. */
  receive(request: IncomingMessage, answer: Answer, listener: RequestListener): void {
    const begin = (): void => {
      this.#current = { request, answer };
      answer.once('close', () => this.#next());
      listener(request, answer);
      this.#probe();
    };
    if (this.#current === undefined) begin();
    else this.#waiting.push(begin);
  }

  #next(): void {
    this.#reports.answered(this);
    const next = this.#waiting.shift();
    if (next === undefined) this.#current = undefined;
    if (next !== undefined || this.#unparsed.length > 0)
      this.#reports.inTurn(() => {
        if (this.destroyed) return;
        next?.();
        // of the next one, the body may not be parsed yet
        this.#feed();
      });
    else this.#feed();
  }

  #probe(): void {
    if (!this.#hasEnded || this.#current === undefined) return;
    const { request, answer } = this.#current;
    let left = request.httpVersion === '1.0' ? 0 : PROBES;
    const timer = setInterval(() => {
      if (left-- === 0) clearInterval(timer);
      else if (!answer.headersSent) answer.writeContinue();
      // a comment, in a stream of events
      else if (isStream(answer)) answer.write(':\n\n');
    }, PROBE);
    answer.once('close', () => clearInterval(timer));
  }

  override _read(): void {
    this.#isAsked = true;
    this.#feed();
  }

  #feed(): void {
    // read also while it is busy, to hear of its end
    if (this.#unparsed.length === 0) this.#unparsed = this.#socket.read() ?? this.#unparsed;
    const slice = this.#unparsed.subarray(0, SLICE);
    if (!this.#isAsked || this.isBusy || (slice.length === 0 && !this.#hasEnded)) return;
    this.#unparsed = this.#unparsed.subarray(SLICE);
    this.#isAsked = false;
    this.push(slice.length === 0 ? null : slice);
  }

  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#reports.sending(this);
    this.#socket.setTimeout(STALL);
    this.#socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), (error) => {
      this.#socket.setTimeout(0);
      this.#reports.sent(this);
      done(error);
    });
  }

  /** A socket that is closed with something unread takes from its client what it was told. */
  override _final(done: () => void): void {
    if (this.#hasEnded) this.#socket.destroySoon();
    else this.#socket.end();
    this.#socket.removeAllListeners('readable');
    this.#socket.resume();
    setTimeout(() => this.destroy(), LAST_WORDS).unref();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#waiting.length = 0;
    this.#reports.sent(this);
    this.#socket.destroy();
    done(error);
  }
}

const isStream = (answer: Answer): boolean =>
  String(answer.getHeader('content-type')).startsWith('text/event-stream');
