/** Tests of llama.cpp itself, or a skipped one that says why there are none: it has to be installed first. */
import { llamaDamage, readLlama } from '../../../../src/compute/serving/llama-cpp/installed.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';

const host = nodeHost();

export function whereLlama(tests: () => void): void {
  const problem =
    readLlama(host) === undefined
      ? 'it is not installed: `ftpc runtime install llama.cpp`'
      : llamaDamage(host);
  if (problem === undefined) tests();
  else
    it(`with llama.cpp: ${problem}`, function () {
      this.skip();
    });
}
