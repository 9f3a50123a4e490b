import { relative, resolve } from 'node:path';
import type { ReleaseManifest } from '../../../compute/packaging/manifest.js';
import { percentText } from '../../../language/diagnostics/make.js';
import { metricText } from '../../insight/metric-text.js';
import { type Command, EXIT, option } from '../command.js';

export const releases: Command = {
  name: 'releases',
  doc: 'Lists the releases of a folder: number, time, base, metrics, which one is current, and the share of a canary.',
  positionals: [{ name: 'folder', doc: 'The folder that a deploy stage publishes to.' }],
  options: {
    verify: option.flag('Check every file against its manifest; exit with 1 if one differs.'),
    json: option.flag('Print releases and history as JSON.'),
  },
  examples: [
    ['ftpc releases releases/legal', 'what was published'],
    ['ftpc releases releases/legal --verify', 'and whether it still is what was published'],
  ],
  run: async (args, context) => {
    const { listReleases } = await import('../../../pipeline/deploy/releases.js');
    const { canaryDamage, readCanary } = await import('../../../pipeline/deploy/canary.js');
    const { damages } = await import('../../../pipeline/deploy/releases.js');
    const { readHistory } = await import('../../../pipeline/deploy/history.js');
    const { noReleases } = await import('../../../pipeline/deploy/release-diagnostics.js');
    const { nodeDisk } = await import('../../../language/host/node-disk.js');
    const { columns } = await import('../../../pipeline/planner/render/columns.js');
    const { host } = context;
    const folder = resolve(host.cwd, args.positional('folder'));
    const disk = { host, disk: nodeDisk() };
    const canary = readCanary(disk, folder);
    const damage = canaryDamage(disk, folder);
    const found = listReleases(disk, folder).map((release) => ({
      ...release,
      ...(canary?.release === release.number && { canary: canary.share }),
      problems: args.flag('verify') ? damages(disk, release) : [],
    }));
    if (found.length === 0) throw noReleases(args.positional('folder'));
    const sound =
      damage === undefined && found.every((each) => each.problems.length === 0 && each.damage === undefined);
    if (args.flag('json')) {
      const list = found.map(({ path, ...release }) => ({ ...release, path: relative(host.cwd, path) }));
      context.out(JSON.stringify({ version: 1, releases: list, history: readHistory(disk, folder) }));
    } else {
      const { bold, dim, red } = context.colours.out;
      const [head = '', ...lines] = columns(
        [
          ['', 'release', 'created', 'kind', 'base', 'metrics'],
          ...found.map(({ number, current, canary: share, manifest, damage }) => [
            current ? bold('→') : share === undefined ? '' : percentText(share),
            String(number),
            manifest?.created.slice(0, 16).replace('T', ' ') ?? '',
            manifest?.kind ?? red(`damaged: ${damage ?? ''}`),
            manifest?.base.label ?? '',
            figures(manifest),
          ]),
        ],
        { right: [0, 1], width: context.width },
      );
      context.out(dim(head));
      for (const line of lines) context.out(line);
      if (damage !== undefined) context.out(red(`the canary gets no requests: ${damage}`));
      for (const { number, problems } of found)
        for (const problem of problems) context.out(red(`release ${number}: ${problem}`));
    }
    return sound ? EXIT.done : EXIT.error;
  },
};

/** The first figures of the evaluations, which have a baseline; of all stages if there is none. */
function figures(manifest: ReleaseManifest | undefined): string {
  if (manifest === undefined) return '';
  const stages = Object.entries(manifest.metrics);
  const evaluated = stages.filter(([stage]) => Object.keys(manifest.baseline[stage] ?? {}).length > 0);
  return (evaluated.length > 0 ? evaluated : stages)
    .flatMap(([, metrics]) => Object.entries(metrics))
    .slice(0, 3)
    .map(([name, value]) => `${name.replaceAll('_', ' ')} ${metricText(name, value)}`)
    .join(' · ');
}
