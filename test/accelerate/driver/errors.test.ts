/** What the driver takes failures for. */
import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { driverFolder } from '../../../src/compute/accelerate/installed.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { PYTHON, withPython } from '../python.js';

const SCRIPT = `
import sys
from ftpc_driver.errors import kind_of
for line in sys.stdin.read().splitlines():
    name, text = line.split(": ", 1)
    print(kind_of({"import": ImportError, "run": RuntimeError, "system": OSError}[name](text)))
`;

/** As the linker of the system, PyTorch and safetensors say it. */
const SAID: readonly (readonly [string, string])[] = [
  ['import: libtorch_cpu.so: failed to map segment from shared object', 'out_of_memory'],
  ['import: libtorch_cpu.so: failed to map segment from shared object: Operation not permitted', 'import'],
  ['import: libgomp.so.1: cannot allocate memory in static TLS block', 'import'],
  ["import: No module named 'peft'", 'import'],
  ["run: [enforce fail at alloc_cpu.cpp:125] DefaultCPUAllocator: can't allocate memory", 'out_of_memory'],
  ['system: Cannot allocate memory', 'out_of_memory'],
  ['run: Error while serializing: I/O error: No space left on device (os error 28)', 'disk_full'],
  ['run: Connection closed by peer [127.0.0.1]:29400', 'distributed'],
  ['run: shapes cannot be multiplied', 'bug'],
];

withPython('failures of the driver', () => {
  it('are told apart by what libraries say', () => {
    const found = execFileSync(PYTHON ?? '', ['-c', SCRIPT], {
      input: SAID.map(([text]) => text).join('\n'),
      env: { ...process.env, PYTHONPATH: driverFolder(nodeHost()) },
      encoding: 'utf8',
    });
    expect(found.trim().split('\n')).to.deep.equal(SAID.map(([, kind]) => kind));
  });
});
