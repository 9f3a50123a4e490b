import { instance } from '@viz-js/viz';
import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { Plan } from '../../../src/pipeline/planner/plan-json.js';
import { PLAIN } from '../../../src/pipeline/planner/render/columns.js';
import { dot, type Graph, graphOf, graphText, mermaid, svg } from '../../../src/tools/insight/graph/index.js';
import { expectGolden } from '../../helpers/golden.js';
import { ROOT } from './folders.js';
import { expectSchema } from './schemas.js';

const GOLDEN = 'test/tools/insight/golden';

function programOf(file: string) {
  const { program, diagnostics } = compile(nodeHost(ROOT), file);
  if (program === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return program;
}

/** Names that mean something to Mermaid, to Graphviz, to Markdown or to HTML. */
const HOSTILE = [
  'end',
  'graph',
  'a"b',
  'x`y`',
  'adapter@rate=1e-4,mode="a b"',
  'ünïcode 名前 🎉',
  '<b>bold</b>&amp;',
  'back\\slash\\N',
  '#35;hash',
  'pipe|and[brackets]{}',
  'new\nline',
  '%%comment',
  '***md***',
  'o',
];

const hostile: Graph = {
  version: 1,
  pipeline: 'p"q\\',
  inputs: [
    { name: 'data/*.jsonl "x"', kind: 'files' },
    { name: 'end', kind: 'files' },
  ],
  nodes: HOSTILE.map((name, index) => ({
    name,
    kind: (['data', 'format', 'train', 'eval', 'merge', 'deploy'] as const)[index % 6] ?? 'data',
    status: (['run', 'cached', 'resume', 'failed'] as const)[index % 4] ?? 'run',
    doc: 'says "quoted" \\N & <x>\nand more',
  })),
  edges: [
    ...HOSTILE.slice(1).map((name, index) => ({
      from: HOSTILE[index] ?? '',
      to: name,
      ports: ['train', 'va"l|id'],
      settings: ['x'],
    })),
    { from: 'end', to: 'end', input: true as const, ports: [], settings: ['source'] },
  ],
};

describe('the graph of a pipeline', () => {
  const legal = graphOf(programOf('pipelines/legal.ftp'), { inputs: true });

  it('has the ports as edges, and inputs where they are asked for', () => {
    expectSchema('graph', legal);
    expectGolden(`${GOLDEN}/legal.mmd`, `${mermaid(legal)}\n`);
    expectGolden(`${GOLDEN}/legal.dot`, `${dot(legal)}\n`);
    expectGolden(`${GOLDEN}/legal.graph.txt`, `${graphText(legal, PLAIN)}\n`);
    const edge = legal.edges.find(({ from, to }) => from === 'dialogs' && to === 'adapter');
    expect(edge).to.deep.equal({
      from: 'dialogs',
      to: 'adapter',
      ports: ['train', 'valid'],
      settings: ['dataset', 'validate'],
    });
    expect(graphOf(programOf('pipelines/legal.ftp')).inputs).to.deep.equal([]);
  });

  it('shows the stages that a matrix makes', () => {
    const graph = graphOf(programOf('test/corpus/valid/matrix.ftp'));
    expect(graph.nodes.some(({ name }) => name.includes('@'))).to.equal(true);
    expectGolden(`${GOLDEN}/matrix.mmd`, `${mermaid(graph)}\n`);
  });

  it('says the status in words as well as in colours', () => {
    const program = programOf('pipelines/legal.ftp');
    const actions = new Map([
      ['clauses', 'cached'],
      ['dialogs', 'cached'],
      ['adapter', 'resume'],
    ]);
    const plan = {
      stages: program.stages.map(({ name }) => ({ name, action: actions.get(name) ?? 'run' })),
    } as unknown as Plan;
    const graph = graphOf(program, { plan, failed: new Set(['clauses', 'fused']) });
    const status = Object.fromEntries(graph.nodes.map((node) => [node.name, node.status]));
    expect(status).to.include({ clauses: 'failed', dialogs: 'cached', adapter: 'resume' });
    expect(status).to.include({ quality: 'run', fused: 'failed', local: 'run' });
    for (const text of [mermaid(graph), dot(graph), graphText(graph, PLAIN)])
      for (const words of ['= cached', '~ resume', '+ run', '✗ failed last time'])
        expect(text).to.contain(words);
    expectGolden(`${GOLDEN}/legal-status.mmd`, `${mermaid(graph)}\n`);
  });

  it('is DOT that Graphviz reads, whatever the names', async () => {
    const viz = await instance();
    const { status, errors } = viz.render(dot(hostile), { format: 'json' });
    // It only knows how wide Latin letters are.
    expect(errors.filter(({ message }) => !message.includes('no value for width'))).to.deep.equal([]);
    expect(status).to.equal('success');
    const read = viz.renderJSON(dot(hostile)) as {
      readonly name: string;
      readonly objects: readonly { readonly label: string }[];
      readonly edges: readonly { readonly label: string }[];
    };
    expect(read.name.replaceAll('\\\\', '\\')).to.equal(hostile.pipeline);
    const labels = read.objects.map(({ label }) => label.split('\\n')[0]?.replaceAll('\\\\', '\\'));
    expect(labels.slice(2)).to.deep.equal(HOSTILE.map((name) => name.replace('&', '&amp;').split('\n')[0]));
    expect(read.edges).to.have.lengthOf(hostile.edges.length);
  });

  it('is Mermaid in which no name is anything but a label', () => {
    const lines = mermaid(hostile).split('\n');
    expect(lines[0]).to.equal('flowchart TD');
    const node =
      /^ {2}(\w+)(?:\[\(|\[\/|\[\[|\{\{|\[|\(\[|>|\()"[^"`\\<>|{}[\]]*(?:<br\/>[^"`\\<>|{}[\]]*)*"(?:\)\]|\/\]|\]\]|\}\}|\]|\]\)|\))(?::::\w+)?$/;
    const edge = /^ {2}\w+ (?:-->|-\.->)(?:\|"[^"`\\<>|{}[\]]*"\|)? \w+$/;
    const style = /^ {2}classDef \w+ [\w:#, -]+$/;
    for (const line of lines.slice(1))
      expect(node.test(line) || edge.test(line) || style.test(line), line).to.equal(true);
    const ids = lines.flatMap((line) => node.exec(line)?.[1] ?? []);
    expect(new Set(ids).size).to.equal(HOSTILE.length + hostile.inputs.length);
  });

  it('is a picture that says the same every time, and calls nothing from anywhere', async () => {
    const [first, second] = [await svg(hostile), await svg(hostile)];
    expect(first).to.equal(second);
    expect(first.startsWith('<svg role="img" aria-label="stages of p&quot;q\\: ')).to.equal(true);
    expect(first).to.not.match(/<script|<b>|href="http/);
    expect(first).to.contain('&lt;b&gt;bold&lt;/b&gt;');
  });
});
