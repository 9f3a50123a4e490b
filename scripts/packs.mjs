// Which modules of the program are joined in one file. Left to itself, esbuild makes a file of the modules that the same lazy
// imports reach: 450 files for 200 lazy imports, of which `ftpc plan` opened 240, which took a quarter of its time. Here modules
// are joined that commands load together, as far as that costs others less than it saves. What no command of the list loads is
// left to esbuild.
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const START = ['tools/cli/start', 'tools/cli/arguments'];
const COMMANDS = 'tools/cli/commands';
const command = (name, ...lazily) => [...START, `${COMMANDS}/${name}`, ...lazily];
const CHECKED = ['pipeline/prepare/check-references', 'pipeline/stages/train/check'];
const PLANNED = [...CHECKED, 'language/diagnostics/render/index', 'pipeline/stages/format/survey'];
const KINDS = ['data', 'format', 'train', 'eval', 'merge', 'deploy'];
const child = (kind) => ['pipeline/run/stage-child', `pipeline/stages/${kind}/run`];

/**
 * What commands and processes load, by their lazy imports, and how much the time counts until they have. Every command counts,
 * too, by itself and with all that it imports lazily.
 */
const LOADS = [
  [1, ['tools/cli/start']],
  [
    3,
    command(
      'check',
      ...CHECKED,
      ...['language/lint/check-file', 'language/diagnostics/render/index', 'tools/cli/checks'],
      'pipeline/prepare/check-engines',
    ),
  ],
  [
    3,
    command(
      'plan',
      ...PLANNED,
      ...['pipeline/prepare/index', 'pipeline/planner/render/text', 'pipeline/planner/render/engine'],
    ),
  ],
  [3, command('run', ...PLANNED, 'tools/cli/execute')],
  ...KINDS.map((kind) => [2, child(kind)]),
  [1, ['pipeline/serve/model-child']],
];

/** Milliseconds until Node has found, read and linked a file, and until it has compiled a kilobyte, of which a third is left out. */
const FILE = 1;
const KILOBYTE = 0.04;

/** A plugin of esbuild. `inputs`: of the metafile of a build without it, from which what imports what is read. */
export function packs(root, inputs) {
  const graph = graphOf(root, inputs);
  const files = joined(root, graph, inputs);
  const fileOf = new Map(files.flatMap(({ modules }, file) => modules.map((path) => [path, file])));
  const lazily = new Set(lazyImports(root, inputs));
  /** Files that are loaded with these modules: those of what they import, and what those import. */
  const wholeFiles = (paths) => {
    const needed = new Set([...reached(graph, paths)].flatMap((path) => fileOf.get(path) ?? []));
    for (const file of needed) for (const other of files[file].needs) needed.add(other);
    return [...needed].map((file) => bare(`file:${file}`)).join('');
  };
  const contents = {
    // of a package, esbuild leaves out what is imported for nothing
    file: (file) => files[file].modules.filter(isOwn).map(bare).join(''),
    program: (path) => `${wholeFiles([path])}export * from ${JSON.stringify(path)};\n`,
    // one for all modules of a file that are imported lazily
    pack: (file) =>
      wholeFiles(files[file].modules) +
      files[file].modules
        .map((path, at) => (lazily.has(path) ? `export * as m${at} from ${JSON.stringify(path)};\n` : ''))
        .join(''),
  };
  const lazyImport = (path) => {
    const file = fileOf.get(path);
    if (file === undefined) return `import(${JSON.stringify(`program:${path}`)})`;
    return `import("pack:${file}").then((all) => all.m${files[file].modules.indexOf(path)})`;
  };
  return {
    name: 'packs',
    setup(build) {
      build.onResolve({ filter: /^(?:file|program|pack):/ }, ({ path }) => ({ path, namespace: 'packs' }));
      build.onLoad({ filter: /./, namespace: 'packs' }, ({ path }) => {
        const [, kind, of] = /^(\w+):(.*)$/.exec(path);
        return { contents: contents[kind](of), resolveDir: root };
      });
      build.onLoad({ filter: /[/\\]dist[/\\](?:src|grammar)[/\\].*\.js$/ }, ({ path }) => {
        const folder = dirname(path);
        const text = readFileSync(path, 'utf8');
        return {
          contents: text.replace(LAZY, (_, _quote, to) => lazyImport(resolve(folder, to))),
          resolveDir: folder,
        };
      });
    },
  };
}

const LAZY = /\bimport\((["'])(\.[^"']+)\1\)/g;

const bare = (path) => `import ${JSON.stringify(path)};\n`;

const isOwn = (path) => !path.includes('node_modules');

const graphOf = (root, inputs) =>
  new Map(
    Object.entries(inputs).map(([path, { imports }]) => [
      resolve(root, path),
      imports
        .filter(({ kind, external }) => kind !== 'dynamic-import' && external !== true)
        .map(({ path: imported }) => resolve(root, imported)),
    ]),
  );

function reached(graph, begins) {
  const found = new Set(begins);
  for (const path of found) for (const next of graph.get(path) ?? []) found.add(next);
  return found;
}

/** Each load with its weight and all of its modules. */
function loadsOf(root, graph, inputs) {
  const pathOf = (name) => join(root, 'dist/src', `${name}.js`);
  const commands = [...graph.keys()].filter((path) => dirname(path) === dirname(pathOf(`${COMMANDS}/plan`)));
  const start = START.map(pathOf);
  const ofCommands = commands.flatMap((path) => [
    [1, [...start, path]],
    [1, [...start, path, ...lazyImports(root, inputs, path)]],
  ]);
  const named = LOADS.map(([weight, names]) => [weight, names.map(pathOf)]);
  return [...named, ...ofCommands, ...ofStages(root, graph, inputs, pathOf)].map(([weight, begins]) => {
    const unknown = begins.find((path) => !graph.has(path));
    if (unknown !== undefined) throw new Error(`no program has ${unknown}`);
    return { weight, modules: reached(graph, begins) };
  });
}

/**
 * A process of a stage with each module that it may load lazily, of which it loads some: what is joined with one takes memory next to
 * tensors. With the parser and execa, which commands need, a process took 8 MiB more.
 */
function ofStages(root, graph, inputs, pathOf) {
  const begins = KINDS.flatMap(child).map(pathOf);
  const found = new Set(begins);
  const lazy = new Set();
  for (const path of found) {
    for (const next of graph.get(path) ?? []) found.add(next);
    for (const next of lazyImports(root, inputs, path)) {
      lazy.add(next);
      found.add(next);
    }
  }
  return [...lazy].map((path) => [OF_STAGES, [...child('eval').map(pathOf).slice(0, 1), path]]);
}

/** How much the time counts that such a process takes until it has loaded one. */
const OF_STAGES = 4;

const lazyImports = (root, inputs, of) =>
  Object.entries(inputs)
    .filter(([path]) => of === undefined || resolve(root, path) === of)
    .flatMap(([, { imports }]) =>
      imports
        .filter(({ kind, external }) => kind === 'dynamic-import' && external !== true)
        .map(({ path }) => resolve(root, path)),
    );

/**
 * Files, each with its modules, the loads that need it, and the files that it needs: at first, of the modules that the same
 * loads need; then any two are joined, those first that save most.
 */
function joined(root, graph, inputs) {
  const bytes = new Map(Object.entries(inputs).map(([path, input]) => [resolve(root, path), input.bytes]));
  const loads = loadsOf(root, graph, inputs);
  const files = filesByLoads(loads).map((file) => ({
    ...file,
    cost: file.modules.reduce((sum, path) => sum + (KILOBYTE * bytes.get(path)) / 1024, 0),
  }));
  const fileOf = new Map(files.flatMap((file) => file.modules.map((path) => [path, file])));
  for (const file of files)
    file.imports = new Set(
      file.modules.flatMap((path) => graph.get(path) ?? []).map((path) => fileOf.get(path)),
    );
  for (const file of files) file.imports.delete(file);
  const open = new Set(files);
  while (joinedSome(open, loads));
  const left = [...open];
  return left.map((file) => ({
    modules: file.modules,
    needs: [...withNeeds(file)].map((one) => left.indexOf(one)),
  }));
}

/** A module that hears of its process, or of its thread, as soon as it is loaded: that is for no other process. */
const acts = (path) => isOwn(path) && /^(?:if \()?(?:process|parentPort)\b/m.test(readFileSync(path, 'utf8'));

/** Modules that the same loads have. */
function filesByLoads(loads) {
  const of = new Map();
  for (const [at, { modules }] of loads.entries())
    for (const path of modules) of.set(path, [...(of.get(path) ?? []), at]);
  for (const path of of.keys()) if (acts(path)) of.delete(path);
  const files = new Map();
  for (const [path, found] of of) {
    const file = files.get(found.join()) ?? { modules: [], loads: new Set(found) };
    file.modules.push(path);
    files.set(found.join(), file);
  }
  return [...files.values()];
}

/** It and all that it needs. */
function withNeeds(file) {
  const found = new Set([file]);
  for (const one of found) for (const next of one.imports) found.add(next);
  return found;
}

/** Joins pairs, those first that save most, none twice: what the others save has changed then. False if nothing is left to save. */
function joinedSome(open, loads) {
  const all = [...open];
  const needs = new Map(all.map((file) => [file, withNeeds(file)]));
  const pairs = all
    .flatMap((one, at) =>
      all.slice(at + 1).map((other) => ({ one, other, cost: costOf(one, other, needs, loads) })),
    )
    .filter(({ cost }) => cost < 0)
    .sort((a, b) => a.cost - b.cost);
  const touched = new Set();
  for (const { one, other } of pairs) {
    if (touched.has(one) || touched.has(other) || wouldNeedItself(one, other)) continue;
    joinTwo(open, one, other);
    touched.add(one).add(other);
  }
  return touched.size > 0;
}

/** Milliseconds of all loads that it costs to join two files; below 0 if it saves some. */
function costOf(one, other, needs, loads) {
  let cost = 0;
  for (const load of new Set([...one.loads, ...other.loads])) {
    const { weight } = loads[load];
    const [first, second] = [one.loads.has(load), other.loads.has(load)];
    if (first && second) cost -= weight * FILE;
    else
      for (const more of needs.get(first ? other : one)) {
        if (!more.loads.has(load)) cost += weight * (more.cost + (more === one || more === other ? 0 : FILE));
      }
  }
  return cost;
}

/** Whether one needs the other by way of a third, which would then need the two that need it. */
const wouldNeedItself = (one, other) => needsByOther(one, other) || needsByOther(other, one);

const needsByOther = (one, other) =>
  [...one.imports].some((next) => next !== other && withNeeds(next).has(other));

function joinTwo(open, one, other) {
  open.delete(other);
  one.modules.push(...other.modules);
  one.cost += other.cost;
  for (const load of other.loads) one.loads.add(load);
  for (const next of other.imports) one.imports.add(next);
  for (const file of open) if (file.imports.delete(other)) file.imports.add(one);
  one.imports.delete(one);
  one.imports.delete(other);
  for (const needed of withNeeds(one)) for (const load of one.loads) needed.loads.add(load);
}
