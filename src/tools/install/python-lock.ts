/**
 * The lock of a Python environment: a requirements file with the digest of every wheel, which pip and uv read too, and in
 * comments the name and size of each, so that wheels are found in an index that states neither.
 */

export interface LockedWheel {
  readonly project: string;
  readonly version: string;
  /** Name of the file. */
  readonly name: string;
  readonly bytes: number;
  /** SHA-256 in hexadecimal digits. */
  readonly sha256: string;
}

/** Wheels of all projects, for each Python that the lock is for. Throws an `Error` for a lock that ftpc has not written. */
export function readLock(text: string): readonly LockedWheel[] {
  const wheels: LockedWheel[] = [];
  let files: { readonly name: string; readonly bytes: number }[] = [];
  let [project, version] = ['', ''];
  for (const line of text.split('\n')) {
    const [, name, bytes] = /^# (\S+\.whl) (\d+)$/.exec(line) ?? [];
    const [, started, at] = /^([\w.-]+)==(\S+)/.exec(line) ?? [];
    const [, sha256] = /--hash=sha256:([0-9a-f]{64})/.exec(line) ?? [];
    if (name !== undefined) files = [...files, { name, bytes: Number(bytes) }];
    if (started !== undefined && at !== undefined) [project, version] = [started, at];
    if (sha256 === undefined) continue;
    const [file, ...others] = files;
    if (file === undefined) throw new Error(`the lock does not name a wheel of ${project}`);
    wheels.push({ project, version, ...file, sha256 });
    files = others;
  }
  return wheels;
}

/** Written as {@link readLock} reads it; `heading` in lines. */
export function lockText(heading: readonly string[], wheels: readonly LockedWheel[]): string {
  const projects = [...new Set(wheels.map(({ project }) => project))];
  const blocks = projects.map((project) => {
    const files = wheels.filter((wheel) => wheel.project === project);
    return [
      ...files.map(({ name, bytes }) => `# ${name} ${bytes}`),
      `${project}==${files[0]?.version} \\`,
      files.map(({ sha256 }) => `    --hash=sha256:${sha256}`).join(' \\\n'),
    ].join('\n');
  });
  return `${[heading.map((line) => `# ${line}`).join('\n'), ...blocks].join('\n\n')}\n`;
}

/** `torch-2.15.0-cp312-cp312-manylinux_2_28_x86_64.whl`: the last three are lists of tags with dots. */
const TAGS = /-([^-]+)-([^-]+)-([^-]+)\.whl$/;

/** Whether a wheel is for Python 3 with that second number; its system is not looked at. */
export function suitsPython(name: string, minor: number): boolean {
  const [, pythons = '', abis = ''] = TAGS.exec(name) ?? [];
  const own = `cp3${minor}`;
  return pythons.split('.').some((python) => {
    // `py3`, or `py311`: from then on
    const [, since] = /^py3(\d*)$/.exec(python) ?? [];
    if (since !== undefined) return abis === 'none' && Number(since) <= minor;
    const [, from = ''] = /^cp3(\d+)$/.exec(python) ?? [];
    const isStable = abis.split('.').includes('abi3') && Number(from) <= minor;
    return isStable || (python === own && abis.split('.').some((abi) => abi === own || abi === 'none'));
  });
}

/** Tags of the systems that a wheel is for. */
export const systemsOf = (name: string): readonly string[] => TAGS.exec(name)?.[3]?.split('.') ?? [];

/**
 * Of wheels that suit a Python, the one with the largest number is taken: that built for it, else that for all from the
 * latest on.
 */
export const closeness = (name: string, minor: number): number =>
  name.includes(`-cp3${minor}-`) ? 100 : Number(/-(?:cp|py)3(\d*)/.exec(name)?.[1] ?? 0);

/** One wheel of each project, for Python 3 with that second number. */
export const wheelsFor = (lock: readonly LockedWheel[], minor: number): readonly LockedWheel[] => {
  const best = new Map<string, LockedWheel>();
  for (const wheel of lock.filter(({ name }) => suitsPython(name, minor))) {
    const other = best.get(wheel.project);
    if (other === undefined || closeness(wheel.name, minor) > closeness(other.name, minor))
      best.set(wheel.project, wheel);
  }
  return [...best.values()];
};
