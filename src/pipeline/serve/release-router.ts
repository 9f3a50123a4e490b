/** Routes requests to the current release of a folder and to its canary, and follows when these change. */
import { UserError } from '../../language/diagnostics/types.js';
import { DiskError } from '../../language/host/disk.js';
import { HostError } from '../../language/host/host.js';
import {
  findRelease,
  listReleases,
  type Release,
  type ReleaseAccess,
  releaseName,
} from '../deploy/releases.js';
import { drain, enter, loadOf, type ModelSlot, take } from './model-slots.js';
import { type ReleaseRoles, readRoles } from './release-roles.js';
import {
  NoModelError,
  type ReleaseStatus,
  type RoutableModel,
  type RoutedModel,
  type Router,
} from './router.js';
import { placeOf } from './sticky-share.js';
import { nothingCurrent } from './traffic-diagnostics.js';
import { type FolderWatch, watchFolder } from './watch-folder.js';

export interface RouterOptions<Model extends RoutableModel> {
  readonly access: ReleaseAccess;
  /** Absolute folder of the releases. */
  readonly folder: string;
  /** Opens a release and asks it something. Throws a `UserError` if it cannot answer. */
  readonly start: (release: Release, signal: AbortSignal) => Promise<Model>;
  /** Bytes that the models may take together. */
  readonly memory: number;
  /** Told what happens, in a sentence. */
  readonly report: (text: string) => void;
  readonly watch?: (folder: string, changed: () => void) => FolderWatch;
  /** For requests without a user: 0 to 1. */
  readonly random?: () => number;
}

/** Requests that may wait while one model ends before the next one begins. */
const MOST_WAITING = 1000;
/** Seconds after which a client may ask again. */
const RETRY = 5;
/** Milliseconds until a release that could not be opened is tried again, doubled each time. */
const AGAIN = { first: 30_000, longest: 600_000 };

/** Resolves when the current release answers. Throws a `UserError` if it cannot be opened. */
export async function createRouter<Model extends RoutableModel>(
  options: RouterOptions<Model>,
): Promise<Router<Model>> {
  const router = new ReleaseRouter(options);
  await router.open();
  return router;
}

/** Milliseconds of a clock that nobody sets. */
type Failure = { readonly at: number; readonly wait: number };

class ReleaseRouter<Model extends RoutableModel> implements Router<Model> {
  /** Those that start, serve or failed, by their releases. */
  private readonly slots = new Map<number, ModelSlot<Model>>();
  /** Those that finish what they have, and the ends of them. */
  private readonly draining = new Map<ModelSlot<Model>, Promise<void>>();
  private readonly failures = new Map<number, Failure>();
  private readonly waiting = new Set<() => void>();
  private current: ModelSlot<Model> | undefined;
  private canary: { readonly slot: ModelSlot<Model>; readonly share: number } | undefined;
  private watcher: FolderWatch | undefined;
  private following: Promise<void> | undefined;
  private isChanged = false;
  private starting: { readonly number: number; readonly abort: AbortController } | undefined;
  private isClosed = false;
  private lastRoles: ReleaseRoles = {};
  private said: string | undefined;

  constructor(private readonly options: RouterOptions<Model>) {}

  async open(): Promise<void> {
    const { access, folder, watch = watchFolder } = this.options;
    const { current } = this.roles();
    if (current === undefined) throw nothingCurrent(folder, listReleases(access, folder).length);
    const slot = this.slotOf(current);
    await this.start(slot);
    this.serve(slot);
    this.watcher = watch(folder, () => this.changed());
    this.changed();
    await this.following;
  }

  async route(user: string | undefined, signal?: AbortSignal): Promise<RoutedModel<Model>> {
    while (this.current === undefined && this.following !== undefined) await this.nextModel(signal);
    if (this.isClosed) throw new NoModelError('the server ends', RETRY);
    if (this.current === undefined) throw new NoModelError('no release can be opened', RETRY);
    const slot = this.slotFor(user, this.current);
    const { model } = slot;
    if (model === undefined) throw new NoModelError(`release ${slot.number} is not open`, RETRY);
    const role = slot === this.current ? 'current' : 'canary';
    return { model, release: { number: slot.number, role }, done: take(slot) };
  }

  /** The canary's users get the current release while the canary cannot answer. */
  private slotFor(user: string | undefined, current: ModelSlot<Model>): ModelSlot<Model> {
    if (this.canary === undefined || this.canary.slot.model?.up === false) return current;
    const { slot, share } = this.canary;
    const place = user === undefined ? (this.options.random ?? Math.random)() : placeOf(user, slot.number);
    return place < share ? slot : current;
  }

  private nextModel(signal: AbortSignal | undefined): Promise<void> {
    if (this.waiting.size >= MOST_WAITING)
      throw new NoModelError('one release ends before the next begins, and too many requests wait', RETRY);
    return new Promise((resolve, reject) => {
      const go = (): void => {
        signal?.removeEventListener('abort', stop);
        this.waiting.delete(go);
        resolve();
      };
      const stop = (): void => {
        this.waiting.delete(go);
        reject(signal?.reason);
      };
      if (signal?.aborted === true) return stop();
      this.waiting.add(go);
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  private wake(): void {
    for (const go of [...this.waiting]) go();
  }

  releases(): readonly ReleaseStatus[] {
    const { canary } = this.roles();
    const share = this.canary?.share ?? 0;
    const list = [...this.slots.values(), ...this.draining.keys()].map((slot): ReleaseStatus => {
      const { number, path, state, since, requests, problem, model } = slot;
      return {
        number,
        role: slot !== this.current && number === canary?.number ? 'canary' : 'current',
        label: path,
        share: slot === this.current ? 1 - share : slot === this.canary?.slot ? share : 0,
        state,
        since,
        requests,
        ...loadOf(model, requests),
        ...(problem !== undefined && { problem }),
      };
    });
    const rank = ({ number }: ReleaseStatus): number => (number === this.current?.number ? 0 : 1);
    return list.sort((a, b) => rank(a) - rank(b) || b.number - a.number);
  }

  ready(): boolean {
    return !this.isClosed && this.current !== undefined && this.current.model?.up !== false;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.watcher?.close();
    this.starting?.abort.abort(new NoModelError('the server ends', RETRY));
    this.wake();
    await this.following;
    this.canary = undefined;
    for (const slot of this.slots.values()) if (slot.state === 'serving') this.end(slot);
    await Promise.all(this.draining.values());
  }

  private changed(): void {
    if (this.isClosed) return;
    this.isChanged = true;
    if (this.starting !== undefined && this.roleOf(this.starting.number) === undefined)
      this.starting.abort.abort(new NoModelError('another release is wanted now', RETRY));
    this.following ??= this.follow()
      .catch((error: unknown) => this.say(`the folder of releases: ${String(error)}`))
      .finally(() => {
        this.following = undefined;
        this.wake();
      });
  }

  private roleOf(number: number): 'current' | 'canary' | undefined {
    const { current, canary } = this.roles();
    return number === current ? 'current' : number === canary?.number ? 'canary' : undefined;
  }

  private async follow(): Promise<void> {
    while (this.isChanged && !this.isClosed) {
      this.isChanged = false;
      await this.takeRoles(this.roles());
      this.endOthers();
    }
  }

  /** Brings what serves to what the folder says, as far as it can be. */
  private async takeRoles({ current, canary }: ReleaseRoles): Promise<void> {
    if (current === undefined) return this.say('no release is current: the one before goes on answering');
    if (this.current?.number !== current) {
      const slot = await this.opened(current);
      if (slot !== undefined) this.serve(slot);
    }
    if (this.isChanged || this.isClosed) return;
    if (canary === undefined || canary.number === this.current?.number) this.canary = undefined;
    else {
      if (this.canary?.slot.number !== canary.number) this.canary = undefined;
      const slot = await this.opened(canary.number);
      if (slot !== undefined && slot !== this.current) this.canary = { slot, share: canary.share };
    }
  }

  /** New requests go to it from here on. */
  private serve(slot: ModelSlot<Model>): void {
    const before = this.current;
    this.current = slot;
    if (this.canary?.slot === slot) this.canary = undefined;
    this.wake();
    if (before !== undefined) this.say(`release ${slot.number} answers now, instead of ${before.number}`);
  }

  /** A release that serves, started if it does not yet; `undefined` if that cannot be. */
  private async opened(number: number): Promise<ModelSlot<Model> | undefined> {
    const known = this.slots.get(number);
    if (known?.state === 'serving') return known;
    const failure = this.failures.get(number);
    if (failure !== undefined && this.clock() - failure.at < failure.wait) return undefined;
    if (!this.fits()) await Promise.all(this.draining.values());
    const slot = this.slotOf(number);
    const before = this.current?.number;
    const isAlone = !this.fits();
    if (isAlone && this.roleOf(number) === 'canary') {
      this.failed(slot, 'two models do not fit into memory');
      return undefined;
    }
    if (isAlone) await this.makeRoom(number);
    if (await this.tryToStart(slot)) return slot;
    if (isAlone && before !== undefined && !this.isClosed) {
      const restored = this.slotOf(before);
      if (await this.tryToStart(restored)) this.serve(restored);
    }
    return undefined;
  }

  private async tryToStart(slot: ModelSlot<Model>): Promise<boolean> {
    try {
      await this.start(slot);
      return true;
    } catch (error) {
      if (error instanceof NoModelError) this.isChanged = true;
      else this.failed(slot, error instanceof UserError ? error.diagnostic.message : String(error));
      return false;
    }
  }

  private async start(slot: ModelSlot<Model>): Promise<void> {
    const { access, folder, start } = this.options;
    const { number } = slot;
    const abort = new AbortController();
    this.starting = { number, abort };
    this.say(`release ${number} is opened`);
    try {
      const model = await start(findRelease(access, folder, number), abort.signal);
      if (abort.signal.aborted) {
        await model.close();
        throw abort.signal.reason;
      }
      slot.model = model;
    } catch (error) {
      this.slots.delete(number);
      throw abort.signal.aborted ? abort.signal.reason : error;
    } finally {
      this.starting = undefined;
    }
    this.failures.delete(number);
    enter(slot, 'serving', this.now());
  }

  /** Whether one more model fits next to those that are open: it is taken to be as large as the largest of them. */
  private fits(): boolean {
    const open = [...this.slots.values(), ...this.draining.keys()].map(
      ({ model }) => model?.info.memory ?? 0,
    );
    return open.reduce((sum, bytes) => sum + bytes, Math.max(0, ...open)) <= this.options.memory;
  }

  /** Requests wait from here until a model serves again. */
  private async makeRoom(next: number): Promise<void> {
    const { current, canary } = this;
    this.say(`two models do not fit into memory: requests wait while release ${next} is opened`);
    this.current = undefined;
    this.canary = undefined;
    for (const slot of [canary?.slot, current]) if (slot !== undefined) this.end(slot);
    await Promise.all(this.draining.values());
  }

  private failed(slot: ModelSlot<Model>, problem: string): void {
    const wait = Math.min(AGAIN.longest, 2 * (this.failures.get(slot.number)?.wait ?? AGAIN.first / 2));
    this.failures.set(slot.number, { at: this.clock(), wait });
    enter(slot, 'failed', this.now());
    slot.problem = problem;
    this.slots.set(slot.number, slot);
    this.say(`release ${slot.number} cannot be opened, and gets no requests: ${problem}`);
  }

  /** Whoever has no role any more finishes what it has. */
  private endOthers(): void {
    for (const slot of [...this.slots.values()]) {
      if (slot === this.current || slot === this.canary?.slot) continue;
      if (slot.state === 'serving') this.end(slot);
      else if (this.roleOf(slot.number) === undefined) this.slots.delete(slot.number);
    }
  }

  private end(slot: ModelSlot<Model>): void {
    this.slots.delete(slot.number);
    this.draining.set(
      slot,
      drain(slot, this.now())
        .catch((error: unknown) => this.say(`release ${slot.number} did not end well: ${String(error)}`))
        .finally(() => this.draining.delete(slot)),
    );
  }

  private slotOf(number: number): ModelSlot<Model> {
    const path = `${this.options.folder}/${releaseName(number)}`;
    const slot: ModelSlot<Model> = { number, path, state: 'starting', since: this.now(), requests: 0 };
    this.slots.set(number, slot);
    return slot;
  }

  /** Where the folder cannot be read, they are as they were. */
  private roles(): ReleaseRoles {
    try {
      this.lastRoles = readRoles(this.options.access, this.options.folder);
    } catch (error) {
      if (!(error instanceof DiskError) && !(error instanceof HostError)) throw error;
      this.say(`the folder of releases cannot be read: ${error.message}`);
    }
    return this.lastRoles;
  }

  private now(): number {
    return this.options.access.host.now();
  }

  private clock(): number {
    return this.options.access.host.clock();
  }

  /** The same sentence once. */
  private say(text: string): void {
    if (text !== this.said) this.options.report(text);
    this.said = text;
  }
}
