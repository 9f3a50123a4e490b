import { composeFile } from './compose.js';
import type { ServerFacts } from './facts.js';
import { llamaServer } from './llama-server.js';
import { ollama } from './ollama.js';
import { type DescribedServer, serveReadme } from './readme.js';
import type { Server } from './server.js';
import { tgi } from './tgi.js';
import { vllm } from './vllm.js';

/** Folder in a release. */
export const SERVE = 'serve';

const SERVERS: readonly Server[] = [vllm, tgi, llamaServer, ollama];

/** The files of `serve/`, by name in it: the same facts give the same bytes. */
export function serveFiles(facts: ServerFacts): Readonly<Record<string, string>> {
  const servers = SERVERS.map((server): DescribedServer => ({ server, ...server.describe(facts) }));
  const isServed = servers.some(({ service }) => service !== undefined);
  return {
    'README.md': serveReadme(facts, servers),
    ...(isServed && { 'compose.yaml': composeFile(facts, servers) }),
    ...Object.fromEntries(
      servers.flatMap(({ server, command, variables }) =>
        command === undefined ? [] : [[`${server.id}.sh`, script(command, variables)]],
      ),
    ),
    ...Object.assign({}, ...servers.map(({ files }) => files)),
  };
}

/** A script of the shell; further arguments go to the server. */
function script(command: readonly string[], variables: Readonly<Record<string, string>> = {}): string {
  const defaults = Object.entries(variables).map(
    ([name, value]) => `${name}=\${${name}:-${quoted(value)}}\n`,
  );
  return `#!/bin/sh
set -e
cd "$(dirname "$0")/.."
${defaults.join('')}exec ${command.map(word).join(' ')} "$@"
`;
}

const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** Variables of the script stay what they are. */
const word = (text: string): string =>
  /\$(?:BASE|PWD)\b/.test(text) ? `"${text.replace(/[\\"`]|\$(?!BASE\b|PWD\b)/g, '\\$&')}"` : quoted(text);
