/**
 * An installation of TensorFlow.js whose libraries only fail, each in its own way: what a machine without a GPU, a full
 * device or a device that refuses makes of a run.
 */
import { join } from 'node:path';
import {
  CORE,
  DAWN,
  dawnBuild,
  MANIFEST,
  packageFolder,
  type TfjsName,
  tfjsFolder,
} from '../../../../src/compute/tensor/runtimes/tfjs/installed.js';
import type { Host } from '../../../../src/language/host/host.js';

/** JavaScript: how Dawn finds an adapter, and what making and computing a tensor do. */
export interface FakeParts {
  readonly adapter?: string;
  readonly make?: string;
  readonly compute?: string;
}

const core = (name: TfjsName, { make = '', compute = '' }: FakeParts): string => `
const backend = {
  // as Emscripten's stubs: at the first call, the function itself takes their place
  wasm: {
    _malloc: (bytes) => (backend.wasm._malloc = () => 8)(bytes),
    _free: (place) => (backend.wasm._free = () => {})(place),
  },
  write: () => ({}),
  disposeData: () => true,
  bufferManager: { freeBuffers: new Map(), numBytesUsed: 0, numBytesAllocated: 0, acquireBuffer: () => ({}) },
};
const tensor = (values, shape, dtype) =>
  ({ values, shape, dtype, dataId: {}, dispose() {}, data: async () => values });
const engine = {
  backendName: '${name}',
  backend,
  state: { tensorInfo: new Map() },
  setBackend: async () => true,
  memory: () => ({ numTensors: 0, numBytes: 0 }),
  makeTensor(values, shape, dtype) { ${make}; return tensor(values, shape, dtype); },
  runKernel(kernel) { ${compute}; return tensor(new Float32Array(1), [1], 'float32'); },
};
module.exports = {
  version_core: '4.22.0',
  fail: undefined,
  enableProdMode() {},
  registerKernel() {},
  registerBackend: () => true,
  env: () => ({ set() {} }),
  engine: () => engine,
};
`;

/** A device that tells its listener what it is told through \`fail\` of the core. */
const adapterOf = (info: string): string => `({
  info: ${info}, limits: { maxBufferSize: 4096, maxStorageBufferBindingSize: 4096 },
  requestDevice: async () => ({
    limits: { maxBufferSize: 4096, maxStorageBufferBindingSize: 4096 },
    lost: new Promise(() => {}),
    addEventListener(_, listener) {
      require('${CORE}').fail = (message) => listener({ error: new Error(message), preventDefault() {} });
    },
  }),
})`;

const ADAPTER = adapterOf('{}');

/** One that computes on the CPU. */
export const softwareAdapter = (description: string): string =>
  adapterOf(JSON.stringify({ vendor: 'google', architecture: '', description, isFallbackAdapter: true }));

/** Files of the installation by their paths. */
export function fakeTfjs(
  host: Host,
  name: TfjsName,
  parts: FakeParts = {},
): Readonly<Record<string, string>> {
  const folder = tfjsFolder(host, name);
  const inside = (pack: string, file: string): string => join(packageFolder(folder, pack), file);
  const manifest = { version: 1, packages: { [CORE]: '4.22.0' }, bytes: 1 };
  const adapter = parts.adapter ?? ADAPTER;
  return {
    [join(folder, MANIFEST)]: JSON.stringify(manifest),
    [inside(CORE, 'index.js')]: core(name, parts),
    [inside(`@tensorflow/tfjs-backend-${name}`, 'index.js')]: `
      exports.WebGPUBackend = function () { return require('${CORE}').engine().backend; };`,
    // a folder in place of the native module
    [inside(DAWN, `dist/${dawnBuild()}/dawn.node/index.js`)]: `
      exports.globals = {};
      exports.create = () => ({ requestAdapter: async () => ${adapter} });`,
  };
}
