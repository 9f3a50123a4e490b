/** A package index and its wheels on this machine, with faults on demand. */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

interface ZipFile {
  addBuffer(content: Buffer, name: string, options: { compress: boolean; mode: number }): void;
  end(): void;
  readonly outputStream: NodeJS.ReadableStream;
}
const { ZipFile } = createRequire(import.meta.url)('yazl') as { readonly ZipFile: new () => ZipFile };

export async function zipOf(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files))
    zip.addBuffer(Buffer.from(content), name, { compress: !name.endsWith('.stored'), mode: 0o100644 });
  zip.end();
  return buffer(zip.outputStream);
}

export interface IndexServer {
  readonly url: string;
  /** Paths with the first byte that was asked for. */
  readonly asked: string[];
  /** Headers that said who asks. */
  readonly authorizations: (string | undefined)[];
  /** Sends every request on to this address from now on. */
  sendTo(address: string | undefined): void;
  close(): Promise<void>;
}

export interface IndexOptions {
  /** Hangs up after this many bytes, the first time. */
  readonly cutAt?: number;
  /** Answers with a digest of something else. */
  readonly wrongDigest?: boolean;
  /** Pages in HTML, without digests and sizes. */
  readonly html?: boolean;
  /** Files of the same length with other content. */
  readonly spoilt?: boolean;
  /** Status of every answer. */
  readonly status?: number;
}

/** `wheels`: content by file name; the project is what stands before the first hyphen. */
export async function indexServer(
  wheels: Readonly<Record<string, Buffer>>,
  { cutAt, wrongDigest = false, status, html, spoilt }: IndexOptions = {},
): Promise<IndexServer> {
  const asked: string[] = [];
  const authorizations: (string | undefined)[] = [];
  let cut = cutAt;
  let elsewhere: string | undefined;
  const server: Server = createServer((request, response) => {
    const path = request.url ?? '';
    authorizations.push(request.headers.authorization);
    const [, project] = /^\/simple\/([\w-]+)\/$/.exec(path) ?? [];
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    asked.push(start > 0 ? `${path} ${start}` : path);
    if (elsewhere !== undefined)
      return void response.writeHead(302, { location: `${elsewhere}${path.replace('/simple', '')}` }).end();
    if (status !== undefined) return void response.writeHead(status).end();
    if (project !== undefined) {
      const files = Object.entries(wheels)
        .filter(([name]) => name.split('-')[0]?.replaceAll('_', '-') === project)
        .map(([filename, content]) => ({
          filename,
          url: `../../files/${filename}`,
          size: content.length,
          hashes: {
            sha256: createHash('sha256')
              .update(wrongDigest ? 'other' : content)
              .digest('hex'),
          },
        }));
      if (html === true)
        return void response.end(
          `<!DOCTYPE html>${files.map(({ filename, url }) => `<a href="${url}">${filename}</a><br/>`).join('\n')}`,
        );
      return void response.end(JSON.stringify({ meta: { 'api-version': '1.1' }, name: project, files }));
    }
    const real = wheels[path.replace('/files/', '')];
    const content = spoilt === true && real !== undefined ? Buffer.alloc(real.length, 'x') : real;
    if (content === undefined) return void response.writeHead(404).end();
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': content.length - start,
      ...(start > 0 ? { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` } : {}),
    });
    if (cut === undefined) return void response.end(content.subarray(start));
    response.write(content.subarray(start, start + cut), () => response.destroy());
    cut = undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/simple`,
    asked,
    authorizations,
    sendTo: (address) => {
      elsewhere = address;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
