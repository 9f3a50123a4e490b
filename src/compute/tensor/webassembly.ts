import { allocateOnHost } from './out-of-memory.js';

/** The part of WebAssembly's JavaScript interface that is used here; TypeScript declares it for browsers only. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, object>>>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: new (size: { readonly initial: number }) => WebAssemblyMemory;
}

interface WebAssemblyMemory {
  readonly buffer: ArrayBuffer;
}

const { Module, Instance, Memory } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi })
  .WebAssembly;

const PAGE = 65_536;

export const createMemory = (bytes: number): WebAssemblyMemory =>
  allocateOnHost(bytes, (size) => new Memory({ initial: Math.ceil(size / PAGE) }));

/** Compiles and starts a small module that computes in this memory, which it imports. */
export const startModule = (base64: string, memory: WebAssemblyMemory): Readonly<Record<string, unknown>> =>
  new Instance(new Module(Buffer.from(base64, 'base64')), { kernel: { memory } }).exports;
