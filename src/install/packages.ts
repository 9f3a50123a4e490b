/** What is installed, in versions that were tried together. */

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
