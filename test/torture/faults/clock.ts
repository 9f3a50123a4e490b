/** Makes the clock of this process jump: at each look, it is off by the next of `jumps`, in milliseconds. */
export function jumpingClock(jumps: readonly number[]): void {
  const Real = Date;
  const now = Real.now;
  let looks = 0;
  const jumped = (): number => now() + (jumps[looks++ % jumps.length] ?? 0);
  class Jumping extends Real {
    constructor(...args: readonly unknown[]) {
      // `new Date()` looks at the clock, and every other one only names a time
      super(...((args.length === 0 ? [jumped()] : args) as [number]));
    }
    static override now = jumped;
  }
  globalThis.Date = Jumping as DateConstructor;
}
