/** Libraries of native code that come with ftpc, by the names of their packages. */
export interface Libraries {
  readonly 'onnxruntime-node': typeof import('onnxruntime-node');
  readonly tokenizers: typeof import('tokenizers');
}

export type LibraryName = keyof Libraries;

export const TITLES: Readonly<Record<LibraryName, string>> = {
  'onnxruntime-node': 'ONNX Runtime',
  tokenizers: 'the tokenizers library',
};
