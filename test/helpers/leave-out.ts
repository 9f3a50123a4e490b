/** Says why a test, or those of a suite, cannot run here, and leaves them out. */
export function leaveOut(test: Mocha.Context, why: string): never {
  console.log(`      (not run: ${why})`);
  return test.skip();
}
