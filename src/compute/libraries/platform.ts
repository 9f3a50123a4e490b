/** The machine as archives of native code name it: `linux-x64`, `linux-x64-musl`, `darwin-arm64`, `win32-x64`. */
import { existsSync } from 'node:fs';
import * as v from 'valibot';

/** The loaders that musl names by processor, as Node does not. */
const MUSL_LOADERS: Readonly<Record<string, string>> = {
  x64: '/lib/ld-musl-x86_64.so.1',
  arm64: '/lib/ld-musl-aarch64.so.1',
};

const REPORT = v.object({ header: v.object({ glibcVersionRuntime: v.optional(v.string()) }) });

export function platformHere(): string {
  const { platform, arch } = process;
  return `${platform}-${arch}${platform === 'linux' && isMusl(arch) ? '-musl' : ''}`;
}

/** The report says it, but takes 6 ms, so that it is asked only where a musl is at all; it may be there for other programs. */
function isMusl(arch: string): boolean {
  const loader = MUSL_LOADERS[arch];
  if (loader === undefined || !existsSync(loader)) return false;
  const report = process.report.getReport();
  return v.is(REPORT, report) && report.header.glibcVersionRuntime === undefined;
}
