/** What is installed, in versions that were tried together. */
import { DAWN, dawnBuild, type TfjsName } from '../../compute/tensor/runtimes/tfjs/installed.js';

export const TENSORFLOW = {
  version: '2.21.0',
  /** Wheels on PyPI: the smaller one has no kernels for GPUs. */
  wheel: { cpu: 'tensorflow-cpu', cuda: 'tensorflow' },
} as const;

export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** Subresource integrity, as the npm registry and lock files have it. */
  readonly integrity: string;
}

/** C++ sources of the binding. */
export const BINDING: NpmPackage = {
  name: '@tensorflow/tfjs-node',
  version: '4.22.0',
  integrity:
    'sha512-uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==',
};

/** Headers of Node's own C interface, which is the same in every version of Node. */
export const NODE_HEADERS: NpmPackage = {
  name: 'node-api-headers',
  version: '1.9.0',
  integrity:
    'sha512-2oNILP4jXwRB4ywnYKjVk1YyJ96n2D4EOVJO6S3oYZ5PtbJrw3Yt9TpAuX3nBLMuzn74rnfGQrv13pS9vC+YiA==',
};

/** Files of the wheel that are kept. */
export const isLibrary = (name: string): boolean =>
  /^tensorflow\/libtensorflow_(?:cc|framework)\.so\.2$/.test(name);

/** Files of the wheel that the build reads. */
export const isHeader = (name: string): boolean =>
  /^tensorflow\/include\/(?:tensorflow\/c\/|(?:tensorflow\/core|tsl)\/platform\/ctstring|xla\/tsl\/c\/).*\.h$/.test(
    name,
  );

/** Files of NVIDIA's wheels that TensorFlow loads. */
export const isCudaLibrary = (name: string): boolean => /^nvidia\/[a-z_]+\/(?:lib|bin|nvvm)\//.test(name);

/** Bytes on the disk while installing: the wheels, and what is unpacked of them. */
export const NEEDED_BYTES = { cpu: 1.3e9, cuda: 9.5e9 } as const;

/** A package of npm of which the files that run are kept, a tenth of it. */
export interface PartialPackage extends NpmPackage {
  readonly isKept: (file: string) => boolean;
}

const only =
  (kept: RegExp) =>
  (file: string): boolean =>
    file === 'package.json' || /^LICENSE/.test(file) || kept.test(file);

const TFJS = '4.22.0';

const CORE: readonly PartialPackage[] = [
  {
    name: '@tensorflow/tfjs-core',
    version: TFJS,
    integrity:
      'sha512-LEkOyzbknKFoWUwfkr59vSB68DMJ4cjwwHgicXN0DUi3a0Vh1Er3JQqCI1Hl86GGZQvY8ezVrtDIvqR1ZFW55A==',
    isKept: only(/^dist\/tf-core\.node\.js$/),
  },
  {
    name: 'seedrandom',
    version: '3.0.5',
    integrity:
      'sha512-8OwmbklUNzwezjGInmZ+2clQmExQPvomqjL7LFqOYqtmuxRgQYqOD3mHaU+MvZn5FLUeVxVfQjwLZW/n/JFuqg==',
    isKept: only(/^(?:index|seedrandom|lib\/[a-z0-9]+)\.js$/),
  },
];

/** Packages of each runtime of TensorFlow.js. Dawn brings a build for each system, of which this one's is kept. */
export const TFJS_PACKAGES: Readonly<Record<TfjsName, readonly PartialPackage[]>> = {
  cpu: [
    ...CORE,
    {
      name: '@tensorflow/tfjs-backend-cpu',
      version: TFJS,
      integrity:
        'sha512-1u0FmuLGuRAi8D2c3cocHTASGXOmHc/4OvoVDENJayjYkS119fcTcQf4iHrtLthWyDIPy3JiPhRrZQC9EwnhLw==',
      isKept: only(/^dist\/tf-backend-cpu\.node\.js$/),
    },
  ],
  wasm: [
    ...CORE,
    {
      name: '@tensorflow/tfjs-backend-wasm',
      version: TFJS,
      integrity:
        'sha512-/IYhReRIp4jg/wYW0OwbbJZG8ON87mbz0PgkiP3CdcACRSvUN0h8rvC0O3YcDtkTQtFWF/tcXq/KlVDyV49wmA==',
      isKept: only(/^dist\/(?:tf-backend-wasm\.node\.js|tfjs-backend-wasm(?:-simd)?\.wasm)$/),
    },
  ],
  webgpu: [
    ...CORE,
    {
      name: '@tensorflow/tfjs-backend-webgpu',
      version: TFJS,
      integrity:
        'sha512-lvIc7Af4Tl2BCdYp43iQmSCRq3asaKT0q2xaErphXiUZ+jqeB0bQa0ZvQys1Xatvto0U4/c90DVsHPfvkn5ftg==',
      isKept: only(/^dist\/tf-backend-webgpu\.node\.js$/),
    },
    {
      name: DAWN,
      version: '0.6.2',
      integrity:
        'sha512-3L4GfmqJLvYUIEWJngEQY+2HQiUlAFkg8+P8NDDj3Xx5hHHIFO/r8JW+ynfqBj7kHN4mbnwO74uB+lrRtLhp4Q==',
      isKept: (file) => only(/$^/)(file) || file.startsWith(`dist/${dawnBuild()}/`),
    },
  ],
};

/** What Dawn is built for. */
export const DAWN_BUILDS: ReadonlySet<string> = new Set([
  'linux-x64',
  'linux-arm64',
  'darwin-universal',
  'win32-x64',
  'win32-arm64',
]);

/** Bytes on the disk while installing: the packages, and what is unpacked of them. */
export const TFJS_NEEDED_BYTES: Readonly<Record<TfjsName, number>> = { cpu: 8e7, wasm: 9e7, webgpu: 3e8 };

/** A build of llama.cpp: the package with its binary, and what it computes with. */
export interface LlamaBuild extends PartialPackage {
  readonly device: 'cuda' | 'vulkan' | 'metal' | 'cpu';
  /** What it loads from the system, besides what every system has. */
  readonly needs?: readonly string[];
  /** A path that is only there where such a device is. */
  readonly where?: string;
}

/** The release of llama.cpp that these binaries were built from. */
export const LLAMA_RELEASE = 'v0.4.0';

const llamaBuild = (
  system: string,
  integrity: string,
  rest: Pick<LlamaBuild, 'device' | 'needs' | 'where'> = { device: 'cpu' },
): LlamaBuild => ({
  name: `@node-llama-cpp/${system}`,
  version: '3.21.1',
  integrity,
  isKept: only(/^bins\//),
  ...rest,
});

/** By {@link platformHere}'s names: the first that computes here is taken. */
export const LLAMA_BUILDS: Readonly<Record<string, readonly LlamaBuild[]>> = {
  'linux-x64': [
    llamaBuild(
      'linux-x64-cuda',
      'sha512-idsE55VoD/FbvLhnBC9krUJaUoC0XnebseAAnCpm/brKf61HEbu+idgbb5eN6mxkjLSrHtILprJ0nDcUJjVrFg==',
      {
        device: 'cuda',
        needs: ['libcuda.so.1', 'libcudart.so.13', 'libcublas.so.13'],
        where: '/dev/nvidiactl',
      },
    ),
    llamaBuild(
      'linux-x64-vulkan',
      'sha512-flEeSzONQ6OIm5bYKLQf4eEnBzcC5WugFbyPUwkCqyyOFZ8pH0H9ulQ7ZNDLSIczeKneMRJornlyY1Hq7d3GDA==',
      { device: 'vulkan', needs: ['libvulkan.so.1'], where: '/dev/dri' },
    ),
    llamaBuild(
      'linux-x64',
      'sha512-Totj6RTDMGo3FoK2yNUaz/oGmZD0olAqTrRluFUWmu0kW2i9TOzHSW0OWCAiGkzRCVX0WsU2CyUQo/W2NYtdPA==',
    ),
  ],
  'linux-arm64': [
    llamaBuild(
      'linux-arm64',
      'sha512-eI3anSEGzJiwF2rpMpZVTdHzw47LztbvfvuRzlu/fPO18ROnBOd+75RPUBlV6qENPpmNtbov85+3VODwEwBurg==',
    ),
  ],
  'darwin-arm64': [
    llamaBuild(
      'mac-arm64-metal',
      'sha512-6MIDAZV7DXD9R1+jEXWJkFuolni3GATGE6mmuyFYc6ZmtOh9djAy15df0T0AXK3sCmVKL+fQcOAWZezxx4MvQQ==',
      { device: 'metal' },
    ),
  ],
  'darwin-x64': [
    llamaBuild(
      'mac-x64',
      'sha512-Q4nyNmbcNiKygBZQZjX+qLk2w3YzoiFpLWsxNURQN7xjyUi2p2rWxjRa7Otg0FrjGf/ri4aQ+X3Uj5Y0zD06eg==',
    ),
  ],
  'win32-x64': [
    llamaBuild(
      'win-x64',
      'sha512-JcIpCnra7bAd7JNWA8ehdn2DIRaTMuj+fBC8bw+5rKSNzszWFbuj2XA05c5QHovonDMBLN1ePXE/hcfZtzXoUQ==',
    ),
  ],
};

/** Bytes on the disk while installing: the package, and what is unpacked of it. */
export const LLAMA_NEEDED_BYTES: Readonly<Record<LlamaBuild['device'], number>> = {
  cuda: 5e8,
  vulkan: 2e8,
  metal: 1e8,
  cpu: 1e8,
};
