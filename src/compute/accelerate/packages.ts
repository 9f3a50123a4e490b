/** Python packages of the accelerate engine: which versions were tried, and which are taken. */

interface PythonPackage {
  /** What `ftpc runtime install accelerate` installs; absent: it is used where it is there. */
  readonly tried?: string;
  /** From which version on, and up to which (not included), the driver may work. */
  readonly from: string;
  readonly below: string;
  /** Without it nothing is computed. */
  readonly isNeeded?: true;
  /** What needs it. */
  readonly use: string;
}

const PYTHON_PACKAGES = {
  torch: { tried: '2.15.0', from: '2.6', below: '3', isNeeded: true, use: 'tensors and ranks' },
  transformers: { tried: '5.24.0', from: '5.0', below: '6', isNeeded: true, use: 'models' },
  peft: { tried: '0.21.2', from: '0.18', below: '1', isNeeded: true, use: 'adapters' },
  accelerate: { tried: '1.15.0', from: '1.10', below: '2', isNeeded: true, use: 'models over several GPUs' },
  safetensors: { tried: '0.8.0', from: '0.5', below: '1', isNeeded: true, use: 'rows, adapters and weights' },
  bitsandbytes: { tried: '0.50.2', from: '0.46', below: '1', use: 'QLoRA and 8-bit optimisers' },
  gguf: { tried: '0.19.0', from: '0.10', below: '1', use: 'bases in GGUF files' },
  sentencepiece: { tried: '0.2.3', from: '0.2', below: '1', use: 'tokenizers in SentencePiece’s files' },
  trl: { from: '0.20', below: '2', use: 'comparisons with it' },
  deepspeed: { from: '0.16', below: '1', use: 'nothing but the report of `ftpc doctor`' },
  flash_attn: { from: '2.6', below: '4', use: 'flash attention' },
} as const satisfies Readonly<Record<string, PythonPackage>>;

export type PackageName = keyof typeof PYTHON_PACKAGES;
export const PACKAGE_NAMES = Object.keys(PYTHON_PACKAGES) as readonly PackageName[];

export const packageOf = (name: PackageName): PythonPackage => PYTHON_PACKAGES[name];

/** The oldest Python that the driver runs on. */
export const OLDEST_PYTHON = '3.11';
/** Second numbers of the Pythons that an environment is made for: 3.11 to 3.13. */
export const PYTHON_MINORS = [11, 12, 13] as const;

/** The release of a version, in numbers: `2.15.0+cu132` is `[2, 15, 0]`. */
const release = (version: string): readonly number[] =>
  (/^\d+(?:\.\d+)*/.exec(version)?.[0] ?? '').split('.').map(Number);

/** Below 0 where `a` is the older release. */
export function compareReleases(a: string, b: string): number {
  const [left, right] = [release(a), release(b)];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export const isWithin = (version: string, { from, below }: PythonPackage): boolean =>
  compareReleases(version, from) >= 0 && compareReleases(version, below) < 0;
