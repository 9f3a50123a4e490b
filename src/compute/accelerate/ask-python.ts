/** What a Python says of itself, where its folders do not tell. It imports nothing that is large. */
import { spawnSync } from 'node:child_process';
import * as v from 'valibot';
import { pythonBroken } from '../../language/diagnostics/catalogue/environment.js';
import { UserError } from '../../language/diagnostics/types.js';
import { childEnvironment, startingWith } from '../../language/host/child-environment.js';
import type { Host } from '../../language/host/host.js';
import { record, tryJson } from '../../language/host/json.js';
import { notStartedBecause } from './not-started.js';
import { PACKAGE_NAMES } from './packages.js';
import type { PythonFacts } from './site-packages.js';

/** Runs on any Python, so that an old one can say that it is old. */
const SCRIPT = `
import json, os, sys
facts = {"version": "%d.%d.%d" % sys.version_info[:3], "packages": {}, "cuda": None}
try:
    from importlib import metadata, util
    for name in sys.argv[1:]:
        try:
            facts["packages"][name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            pass
    torch = util.find_spec("torch")
    if torch is not None and torch.submodule_search_locations:
        build = {}
        with open(os.path.join(torch.submodule_search_locations[0], "version.py")) as file:
            exec(file.read(), build)
        facts["cuda"] = build.get("cuda")
except (ImportError, OSError):
    pass
print("\\n" + json.dumps(facts))
`;

const FACTS = v.object({ version: v.string(), packages: record(v.string()), cuda: v.nullable(v.string()) });

/** What decides which Python a program is that only starts one, and what it finds. */
const PYTHON_NEEDS = startingWith(['PYTHON', 'PYENV_', 'CONDA_', 'VIRTUAL_ENV']);

/** Milliseconds: a Python on a network's disk takes seconds. */
const PATIENCE = 60_000;

/** Each host asks a Python once. */
const asked = new WeakMap<Host, Map<string, PythonFacts>>();

/** `named`: who named the Python. Throws a `UserError` if it does not answer. */
export function askPython(host: Host, python: string, named: string, pythonPath: string): PythonFacts {
  const known = asked.get(host) ?? new Map<string, PythonFacts>();
  asked.set(host, known);
  const key = `${python}\n${pythonPath}`;
  const facts = known.get(key) ?? ask(host, python, named, pythonPath);
  known.set(key, facts);
  return facts;
}

/** What the system says, or that it took too long. */
const whyNot = (error: NodeJS.ErrnoException): string =>
  error.code === 'ETIMEDOUT'
    ? `it does not answer within ${PATIENCE / 1000} s`
    : notStartedBecause(error, '').why;

function ask(host: Host, python: string, named: string, pythonPath: string): PythonFacts {
  const { stdout, stderr, error, status, signal } = spawnSync(python, ['-c', SCRIPT, ...PACKAGE_NAMES], {
    cwd: host.packageFolder,
    env: childEnvironment(
      { PYTHONPATH: pythonPath, PYTHONSAFEPATH: '1', PYTHONDONTWRITEBYTECODE: '1' },
      PYTHON_NEEDS,
    ),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE,
  });
  const facts = tryJson(FACTS, (stdout ?? '').trim().split('\n').at(-1) ?? '');
  if (facts !== undefined) return { ...facts, cuda: facts.cuda ?? undefined };
  const said = (stderr ?? '').trim().split('\n').at(-1) ?? '';
  const detail =
    error !== undefined
      ? whyNot(error)
      : said !== ''
        ? said
        : status === 0
          ? 'it does not answer as Python does'
          : `it ends with ${signal ?? `exit code ${status}`}`;
  throw new UserError(pythonBroken(named, python, detail ?? ''));
}
