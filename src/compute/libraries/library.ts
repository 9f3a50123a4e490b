/** Libraries of native code that come with ftpc, by the names of their packages. */
export interface Libraries {
  readonly 'onnxruntime-node': typeof import('onnxruntime-node');
  readonly tokenizers: typeof import('tokenizers');
}

export type LibraryName = keyof Libraries;

interface LibraryWords {
  readonly title: string;
  /** What does without it. */
  readonly instead?: string;
}

export const WORDS: Readonly<Record<LibraryName, LibraryWords>> = {
  'onnxruntime-node': {
    title: 'ONNX Runtime',
    instead: 'a slower one works on any: run `ftpc runtime install wasm`, then use `--runtime wasm`',
  },
  tokenizers: { title: 'the tokenizers library' },
};
