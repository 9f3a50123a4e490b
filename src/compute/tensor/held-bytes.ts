/** Array buffers that are in use, those that wait for the collector, and memory of libraries; for plans. */
import { MOST_DISCARDED } from './garbage.js';

/** As `garbage.ts` has them collected. Bytes. */
export class HeldBytes {
  most = 0;
  private live = 0;
  private waiting = 0;

  add(bytes: number): void {
    this.live += bytes;
    this.most = Math.max(this.most, this.live + this.waiting);
  }

  /** Of what is given back at once. */
  free(bytes: number): void {
    this.live -= bytes;
  }

  discard(bytes: number): void {
    this.free(bytes);
    this.waiting = this.waiting + bytes >= MOST_DISCARDED ? 0 : this.waiting + bytes;
  }
}
