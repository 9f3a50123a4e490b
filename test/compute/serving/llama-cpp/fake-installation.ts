/** An installation of llama.cpp whose library is a script: Node loads a folder like one. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { MANIFEST } from '../../../../src/compute/libraries/damage.js';
import { type LlamaManifest, llamaFolder } from '../../../../src/compute/serving/llama-cpp/installed.js';
import type { Host } from '../../../../src/language/host/host.js';

export interface FakeLlamaParts {
  /** What opening a model gives; before that, it may write with `said(text)`. */
  readonly init?: string;
  /** What a text is split into. */
  readonly tokenize?: string;
  /** What it says that its kernels use. */
  readonly instructions?: string;
  readonly description?: string;
}

const script = ({
  init = 'true',
  tokenize = '[]',
  instructions = 'AVX2 = 1',
  description = 'llama F32',
}: FakeLlamaParts): string => `
let said = () => {};
exports.setLogger = (logger) => { said = (text) => logger(2, text + '\\n'); };
exports.setLoggerLogLevel = exports.loadBackends = () => {};
exports.getGpuType = () => false;
exports.systemInfo = () => ${JSON.stringify(instructions)};
exports.init = async () => {};
exports.AddonModel = class {
  async init() { return ${init}; }
  async dispose() {}
  getModelDescription() { return ${JSON.stringify(description)}; }
  getTotalSize() { return 1; }
  tokenize() { return ${tokenize}; }
};
exports.AddonContext = class {
  async init() { return true; }
  async dispose() {}
  getMemoryBreakdown() { return { cpuRam: 1, gpuVram: 0 }; }
};
exports.AddonSampler = class {
  applyConfig() {}
  dispose() {}
};
`;

/** Texts by their absolute paths. */
export function fakeLlama(
  host: Host,
  parts: FakeLlamaParts | 'no library',
): Readonly<Record<string, string>> {
  const name = parts === 'no library' ? 'llama-addon.node' : 'llama-addon.node/index.js';
  const text = parts === 'no library' ? parts : script(parts);
  const manifest: LlamaManifest = {
    ...{ version: 1, package: '3.21.1', llama: 'v0.4.0', device: 'cpu', addon: 'llama-addon.node' },
    bytes: text.length,
    files: {
      [name]: {
        bytes: text.length,
        sha256: createHash('sha256').update(text).digest('hex'),
        modified: 0,
      },
    },
  };
  const folder = llamaFolder(host);
  return { [join(folder, name)]: text, [join(folder, MANIFEST)]: JSON.stringify(manifest) };
}
