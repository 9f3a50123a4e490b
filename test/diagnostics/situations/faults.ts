/** Faults that are preloaded into ftpc's processes, those of its stages included. */

const preload = (code: string): string => `--import=data:text/javascript,${encodeURIComponent(code)}`;

/** Variables for a process in which the package cannot be loaded. */
export function withoutPackage(name: string): Readonly<Record<string, string>> {
  const hook = `export async function resolve(specifier, context, next) {
    if (specifier.startsWith(${JSON.stringify(name)})) throw new Error(${JSON.stringify(`Cannot find package '${name}'`)});
    return next(specifier, context);
  }`;
  const module = `data:text/javascript,${encodeURIComponent(hook)}`;
  return {
    NODE_OPTIONS: preload(`import { register } from 'node:module'; register(${JSON.stringify(module)});`),
  };
}

/** Variables for a process that runs this first. */
export const preloaded = (code: string): Readonly<Record<string, string>> => ({
  NODE_OPTIONS: preload(code),
});
