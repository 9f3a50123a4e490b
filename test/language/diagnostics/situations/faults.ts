/** Faults of a system: in this process, and preloaded into those of ftpc and of its stages. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { Ground } from './types.js';

/** Puts something else in the place of a method or property until the example has ended. */
export function replace<T extends object, K extends keyof T>(
  { later }: Ground,
  owner: T,
  name: K,
  value: T[K],
): void {
  const before = Object.getOwnPropertyDescriptor(owner, name) ?? {};
  Object.defineProperty(owner, name, { ...before, value });
  later(() => Object.defineProperty(owner, name, before));
}

/** Another function of the file system, for all who have imported it. */
export function replaceOfDisk<K extends keyof typeof fs>(
  ground: Ground,
  name: K,
  value: (typeof fs)[K],
): void {
  ground.later(syncBuiltinESMExports);
  replace(ground, fs, name, value);
  syncBuiltinESMExports();
}

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
