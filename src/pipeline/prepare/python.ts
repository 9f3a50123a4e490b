/** The Python of the accelerate engine: which it is, and what it has. */
import { isAbsolute, resolve } from 'node:path';
import { execa } from 'execa';
import * as v from 'valibot';
import type { Host } from '../../language/host/host.js';
import { record, tryJson } from '../../language/host/json.js';
import type { PackageVersions } from '../../language/ir/engines.js';

export interface PythonFound {
  /** Absolute path. */
  readonly python: string;
  readonly versions: PackageVersions;
  /** PyTorch is a build that computes on NVIDIA GPUs. */
  readonly cuda: boolean;
}

const PACKAGES = ['torch', 'transformers', 'peft', 'accelerate', 'bitsandbytes', 'deepspeed', 'flash-attn'];

/** Imports nothing: `import torch` takes seconds. */
const SCRIPT = `
import importlib.metadata as m, importlib.util as u, json, pathlib, re, sys
found = {}
for name in sys.argv[1:]:
    try: found[name] = m.version(name)
    except m.PackageNotFoundError: pass
spec = u.find_spec('torch')
about = pathlib.Path(spec.origin).with_name('version.py').read_text() if spec and spec.origin else ''
print(json.dumps({'python': sys.executable, 'versions': found, 'cuda': bool(re.search(r"^cuda[^=]*= *'", about, re.M))}))
`;
const ANSWER = v.object({ python: v.string(), versions: record(v.string()), cuda: v.boolean() });

/** Milliseconds: a cold disk takes seconds. */
const PATIENCE = 30_000;

/** `asked`: as typed; a path is relative to the working directory. `undefined`: there is none. A text says what is wrong. */
export async function findPython(host: Host, asked?: string): Promise<PythonFound | string | undefined> {
  const named = asked ?? host.env('FTPC_PYTHON');
  if (named === undefined || named === '') return undefined;
  const program = named.includes('/') && !isAbsolute(named) ? resolve(host.cwd, named) : named;
  const { failed, stdout, stderr, code } = await execa(program, ['-c', SCRIPT, ...PACKAGES], {
    stdin: 'ignore',
    timeout: PATIENCE,
    reject: false,
  });
  if (code === 'ENOENT' || code === 'EACCES') return `\`${named}\` is no program that runs`;
  const found = failed ? undefined : tryJson(ANSWER, stdout);
  if (found === undefined) return `\`${named}\` does not answer: ${stderr.trim().split('\n').at(-1) ?? ''}`;
  const missing = NEEDED.filter((name) => found.versions[name] === undefined);
  return missing.length === 0 ? found : `\`${named}\` lacks ${missing.map((one) => `\`${one}\``).join(', ')}`;
}

/** What `ftpc runtime install accelerate` installs: plans for other machines are made with it. */
export const LOCKED: PackageVersions = {
  torch: '2.15.0',
  transformers: '5.24.0',
  peft: '0.21.2',
  accelerate: '1.15.0',
  bitsandbytes: '0.50.2',
};

const NEEDED = ['torch', 'transformers', 'peft', 'accelerate'] as const;
