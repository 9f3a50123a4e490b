/** The part of WebAssembly's JavaScript interface that is used here; TypeScript declares it for browsers only. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
}

/** Compiles and starts a small module that imports nothing. */
export function startModule(base64: string): Readonly<Record<string, unknown>> {
  const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi })
    .WebAssembly;
  return new Instance(new Module(Buffer.from(base64, 'base64'))).exports;
}
