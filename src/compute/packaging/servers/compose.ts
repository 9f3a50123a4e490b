/** `serve/compose.yaml`: https://github.com/compose-spec/compose-spec */
import { stringify } from 'yaml';
import type { ServerFacts } from './facts.js';
import type { DescribedServer } from './readme.js';
import { MOUNT } from './server.js';

/** One service per server that can serve the release, each in a profile of its own; ports are open to this machine alone. */
export function composeFile(facts: ServerFacts, servers: readonly DescribedServer[]): string {
  const services = servers.flatMap((each) => {
    const { server, service } = each;
    return service === undefined ? [] : [[server.id, serviceOf(facts, each, service)] as const];
  });
  const volumes = servers.flatMap(({ server, service }) => (service?.state === undefined ? [] : [server.id]));
  const file = {
    name: projectName(facts.name),
    services: Object.fromEntries(services),
    ...(volumes.length > 0 && { volumes: Object.fromEntries(volumes.map((id) => [id, {}])) }),
  };
  return stringify(file, { lineWidth: 0 });
}

/** Lower case, and no dots. */
const projectName = (name: string): string => name.toLowerCase().replace(/[^a-z0-9_-]/g, '-');

function serviceOf(
  { base, kind }: ServerFacts,
  { server }: DescribedServer,
  service: NonNullable<DescribedServer['service']>,
): unknown {
  const { image, entrypoint, command, state, gpu, port } = service;
  const mounts = [
    { type: 'bind', source: '..', target: MOUNT.release, read_only: true },
    ...(kind === 'adapter' && base.hub === undefined
      ? [{ type: 'bind', source: base.folder, target: MOUNT.base, read_only: true }]
      : []),
    ...(state === undefined ? [] : [{ type: 'volume', source: server.id, target: state }]),
  ];
  return {
    profiles: [server.id],
    image,
    ...(entrypoint && { entrypoint }),
    command: command.map((word) => word.replaceAll('$', '$$$$')),
    ...(kind === 'adapter' && base.hub !== undefined && { environment: ['HF_TOKEN'] }),
    volumes: mounts,
    ports: [`127.0.0.1:${server.port}:${port}`],
    ...(gpu && {
      ipc: 'host',
      deploy: {
        resources: { reservations: { devices: [{ driver: 'nvidia', count: 1, capabilities: ['gpu'] }] } },
      },
    }),
    restart: 'unless-stopped',
  };
}
