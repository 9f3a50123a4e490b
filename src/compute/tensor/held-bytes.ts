/** Array buffers that are in use, and those that wait for the collector. */
import { MOST_DISCARDED } from '../../../compute/tensor/garbage.js';

/** As `tensor/garbage.ts` has them collected. Bytes. */
export class HeldBytes {
  most = 0;
  private live = 0;
  private waiting = 0;

  add(bytes: number): void {
    this.live += bytes;
    this.most = Math.max(this.most, this.live + this.waiting);
  }

  discard(bytes: number): void {
    this.live -= bytes;
    this.waiting = this.waiting + bytes >= MOST_DISCARDED ? 0 : this.waiting + bytes;
  }
}
