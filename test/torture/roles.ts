/** Promotions and rollbacks that are killed: whoever looks finds the old roles or the new ones, and a second try ends them. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readRoles } from '../../src/pipeline/serve/release-roles.js';
import { randomFrom } from '../language/formatter/mangle.js';
import { access, publishContent } from '../pipeline/deploy/releases-fixture.js';
import type { Kill, MarkedCall } from './faults/plan.js';
import type { Kind } from './kind.js';
import { shuffled } from './order.js';
import { ftpc, notWell } from './project.js';
import { copyScene } from './scenes.js';

interface Change {
  readonly words: readonly string[];
  /** Current release and canary, once it is done. */
  readonly after: string;
}

const BEFORE = 'current 2, canary 3: 0.1';

/** Of a folder with three releases, of which the second is current and the third its canary. */
const CHANGES: readonly Change[] = [
  { words: ['promote', 'releases'], after: 'current 3' },
  { words: ['promote', 'releases', '--share', '50%'], after: 'current 2, canary 3: 0.5' },
  { words: ['rollback', 'releases'], after: 'current 2' },
  { words: ['rollback', 'releases', '--to', '1'], after: 'current 1, canary 3: 0.1' },
];

const DEADLY: readonly Kill[] = ['self', 'torn'];

interface Case {
  readonly change: Change;
  readonly call: MarkedCall;
  readonly kill: Kill;
}

export const roles: Kind = {
  doc: 'SIGKILL in promotions and rollbacks: a release is current at any moment, the old one or the new one',
  count: 100,
  short: 2,
  open: async ({ folder, shared, seed, count }) => {
    const releases = await releasesBelow(shared);
    const changes = count < CHANGES.length ? CHANGES.slice(0, 1) : CHANGES;
    const found: Case[] = [];
    for (const change of changes)
      for (const call of await callsOf(change, releases, join(folder, 'counted')))
        for (const kill of DEADLY) found.push({ change, call, kill });
    const cases = shuffled(found, randomFrom(seed)).slice(0, count);
    return {
      cases: cases.length,
      run: async (number) => {
        const one = cases[number];
        const what = one && (await killed(one, releases, join(folder, `case-${number}`)));
        return one === undefined || what === undefined ? [] : [{ number, what: `${titleOf(one)}: ${what}` }];
      },
    };
  },
};

const titleOf = ({ change, call, kill }: Case): string =>
  `ftpc ${change.words.join(' ')}, SIGKILL (${kill}) at call ${call.number}, ${call.name} ${call.path}`;

/** A folder in which `releases` has three of them. */
async function releasesBelow(shared: string): Promise<string> {
  const path = join(shared, 'roles');
  if (existsSync(path)) return path;
  mkdirSync(path);
  await publishContent(path, 'one');
  await publishContent(path, 'two');
  await publishContent(path, 'three', { canary: 0.1 });
  return path;
}

/** Every call of a change that nobody disturbs. */
async function callsOf(change: Change, releases: string, copy: string): Promise<readonly MarkedCall[]> {
  const log = `${copy}.log`;
  rmSync(log, { force: true });
  copyScene(releases, copy);
  const problem = notWell(await ftpc(copy, change.words, { faults: { root: copy, log } }));
  if (problem !== undefined || rolesIn(copy) !== change.after)
    throw new Error(`undisturbed, ftpc ${change.words.join(' ')} leaves ${rolesIn(copy)}: ${problem}`);
  rmSync(copy, { recursive: true });
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as MarkedCall);
}

function rolesIn(folder: string): string {
  const { current, canary } = readRoles(access, join(folder, 'releases'));
  return [
    `current ${current}`,
    ...(canary === undefined ? [] : [`canary ${canary.number}: ${canary.share}`]),
  ].join(', ');
}

async function killed(
  { change, call, kill }: Case,
  releases: string,
  folder: string,
): Promise<string | undefined> {
  const hit = `${folder}.hit`;
  const { after } = change;
  copyScene(releases, folder);
  try {
    const at = { process: call.process, number: call.number };
    await ftpc(folder, change.words, { faults: { root: folder, at, kill, hit } });
    if (!existsSync(hit)) return 'the call was not reached';
    const left = rolesIn(folder);
    if (left !== BEFORE && left !== after) return `it leaves ${left}`;
    const listed = notWell(await ftpc(folder, ['releases', 'releases', '--verify']));
    if (listed !== undefined) return `afterwards, ftpc releases: ${listed}`;
    // what is done is not done twice: a second rollback goes back further
    const again = left === after ? undefined : notWell(await ftpc(folder, change.words));
    if (again !== undefined) return `a second try: ${again}`;
    return rolesIn(folder) === after ? undefined : `a second try leaves ${rolesIn(folder)}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(hit, { force: true });
  }
}
