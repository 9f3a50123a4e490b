/** A runtime's device has no memory left for a tensor. What it held before, it still holds. */
export class DeviceFull extends Error {
  override readonly name = 'DeviceFull';
  constructor(
    readonly runtime: string,
    override readonly cause: unknown,
  ) {
    super(`${runtime} is out of memory: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}
