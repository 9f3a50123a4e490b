import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeHost } from '../../../src/language/host/node-host.js';

export function fixture<T>(topic: string, name: string): T {
  const path = join(nodeHost().packageFolder, 'test', 'fixtures', topic, name);
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}
