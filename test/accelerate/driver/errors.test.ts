/** What the driver takes failures for. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
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

  it('are told where a package is an empty folder', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ftpc-hollow-'));
    mkdirSync(join(folder, 'torch'));
    const script = `
import torch
from ftpc_driver.errors import kind_of
for raised in (lambda: torch.nn, lambda: [].nn, lambda: exec("raise RuntimeError('Connection closed by peer')")):
    try:
        raised()
    except Exception as error:
        print(kind_of(error))
`;
    try {
      const found = execFileSync(PYTHON ?? '', ['-S', '-c', script], {
        env: { ...process.env, PYTHONPATH: [folder, driverFolder(nodeHost())].join(delimiter) },
        encoding: 'utf8',
      });
      expect(found.trim().split('\n')).to.deep.equal(['import', 'bug', 'distributed']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
