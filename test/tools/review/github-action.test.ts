import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { register } from 'node:module';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parse } from 'yaml';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { noGit, pipelineRepository, type Working } from './repository.js';

/** GitHub's parser is written for bundlers: it imports JSON without saying so, which Node does not take. */
const AS_JSON = `export const load = (url, context, next) =>
  next(url, url.endsWith('.json') ? { ...context, importAttributes: { type: 'json' } } : context);`;

async function githubParser() {
  register(`data:text/javascript,${encodeURIComponent(AS_JSON)}`);
  const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await import(
    '@actions/workflow-parser'
  );
  const { parseAction } = await import('@actions/workflow-parser/actions/action-parser');
  const trace = new NoOperationTraceWriter();
  return {
    action: (content: string) =>
      parseAction({ name: 'action.yml', content }, trace).context.errors.getErrors(),
    async workflow(content: string) {
      const { context, value } = parseWorkflow({ name: 'plan.yml', content }, trace);
      if (value === undefined) throw new Error('no workflow');
      return convertWorkflowTemplate(context, value);
    },
  };
}

const folder = join(nodeHost().packageFolder, 'docs/github-action');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const FTPC = fileURLToPath(new URL('../../../bin/main.js', import.meta.url));

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}
interface Action {
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default: string }>>;
  readonly runs: { readonly steps: readonly Step[] };
}
interface Workflow {
  readonly on: unknown;
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, { readonly permissions: unknown; readonly steps: readonly Step[] }>>;
}

describe('the GitHub Action', () => {
  const action = parse(read('action.yml')) as Action;
  const workflow = parse(read('workflow.yml')) as Workflow;
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

  it('is an action as GitHub reads it', async () => {
    const github = await githubParser();
    expect(github.action(read('action.yml')).map(({ message }) => message)).to.deep.equal([]);
    expect(github.action(read('action.yml').replace('using: composite', 'using: composit'))).to.not.be.empty;
  });

  it('comes with a workflow as GitHub reads it', async () => {
    const github = await githubParser();
    const template = await github.workflow(read('workflow.yml'));
    expect(template.errors ?? []).to.deep.equal([]);
    expect(template.jobs.map(({ id }) => id.value)).to.deep.equal(['plan']);
    const broken = await github.workflow(read('workflow.yml').replace('runs-on', 'runs_on'));
    expect(broken.errors).to.not.be.empty;
  });

  it('asks for no more than it needs, and runs nothing of a fork with a token that may write', () => {
    expect(workflow.on).to.equal('pull_request');
    expect(workflow.permissions).to.deep.equal({});
    expect(workflow.jobs['plan']?.permissions).to.deep.equal({ contents: 'read', 'pull-requests': 'write' });
    expect(steps.find(({ uses }) => uses?.startsWith('actions/checkout@'))?.with).to.include({
      'persist-credentials': false,
      'fetch-depth': 2,
    });
  });

  it('has every input that the workflow gives, and every variable that the scripts read', () => {
    const given = steps
      .filter(({ uses }) => uses?.startsWith('./'))
      .flatMap((step) => Object.keys(step.with ?? {}));
    expect(given).to.not.be.empty;
    expect(Object.keys(action.inputs)).to.include.members(given);
    for (const { run = '', env = {} } of action.runs.steps) {
      // what comes from outside reaches a shell as a variable, never as its text
      expect(run).to.not.contain('${{');
      const script = /(\w+\.sh)/.exec(run)?.[1];
      if (script === undefined) continue;
      const told =
        /^# ([A-Z_]+(?: \([^)]*\))?(?:, [A-Z_]+(?: \([^)]*\))?)*)[.:]/m.exec(read(script))?.[1] ?? '';
      expect(
        told
          .replace(/ \([^)]*\)/g, '')
          .split(', ')
          .sort(),
        script,
      ).to.deep.equal(Object.keys(env).sort());
    }
  });
});

const noBash =
  spawnSync('bash', ['-c', 'mapfile -t x < /dev/null']).status === 0 ? undefined : 'bash is not installed';
const reason = noGit ?? noBash;

/** Stands in for GitHub's own program: comments are a file, and \`--jq\` is what jq says, where it is there. */
const GH = `#!/usr/bin/env node
const { spawnSync } = require('node:child_process');
const { appendFileSync, existsSync, readFileSync, writeFileSync } = require('node:fs');
const words = process.argv.slice(2);
const after = (name) => words[words.indexOf(name) + 1];
const path = process.env.COMMENTS;
const comments = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : [];
const method = words.includes('--method') ? after('--method') : 'GET';
const address = words.find((word) => word.startsWith('repos/'));
appendFileSync(path + '.log', method + ' ' + address + '\\n');
if (method === 'GET') {
  const { status, stdout } = spawnSync('jq', ['-r', after('--jq')], { input: JSON.stringify(comments), encoding: 'utf8' });
  const own = ({ user, body }) => user.login === 'github-actions[bot]' && body.startsWith(process.env.MARKER);
  process.stdout.write(status === 0 ? stdout : comments.filter(own).map(({ id }) => id + '\\n').join(''));
} else {
  const body = readFileSync(after('--field').replace(/^body=@/, ''), 'utf8');
  const known = comments.find(({ id }) => address.endsWith('/comments/' + id));
  if (method === 'PATCH') known.body = body;
  else comments.push({ id: comments.length + 100, user: { login: 'github-actions[bot]' }, body });
  writeFileSync(path, JSON.stringify(comments));
}
`;

describe(`the scripts of the GitHub Action${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let work: Working;
  before(function () {
    if (reason !== undefined) this.skip();
  });
  beforeEach(() => {
    work = pipelineRepository('pipelines');
    work.write('pipelines/pipe.test.ftp', 'edition 2026\n');
    work.commit();
    mkdirSync(join(work.path, '.git/bin'));
    writeFileSync(join(work.path, '.git/bin/gh'), GH);
    chmodSync(join(work.path, '.git/bin/gh'), 0o755);
  });
  afterEach(() => work.remove());

  const at = (name: string): string => join(work.path, '.git', name);
  const script = (name: string, env: NodeJS.ProcessEnv = {}): string =>
    execFileSync('bash', [join(folder, name), at('plans')], {
      cwd: work.path,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        PATH: `${at('bin')}${delimiter}${process.env['PATH']}`,
        FTPC: `${process.execPath} ${FTPC}`,
        PIPELINES: 'pipelines/pipe*.ftp\n',
        AGAINST: '',
        MACHINE: 'cpu-8gib',
        PARAMS: '',
        GITHUB_BASE_REF: 'main',
        GITHUB_OUTPUT: at('output'),
        GITHUB_STEP_SUMMARY: at('summary'),
        COMMENTS: at('comments'),
        REPOSITORY: 'owner/name',
        PULL_REQUEST: '7',
        ...env,
      },
    });
  const comments = (): readonly { readonly id: number; readonly body: string }[] =>
    existsSync(at('comments')) ? JSON.parse(readFileSync(at('comments'), 'utf8')) : [];
  /** As \`actions/checkout\` does: the merge of a branch into the base. */
  const merge = (): void => {
    work.git('checkout', '-q', '-b', 'branch');
    work.commit('of the branch');
    work.git('checkout', '-q', 'main');
    work.write('other.txt', 'of another');
    work.commit('of main');
    work.git('merge', '-q', '--no-ff', '-m', 'merge', 'branch');
  };

  it('comments once, updates that comment, and says so when all is as before @long', () => {
    work.edit('pipelines/presets.ftp', 'rank: 2', 'rank: 4');
    merge();
    script('plan.sh');
    expect(readFileSync(at('output'), 'utf8')).to.equal('changed=1\nfailed=0\n');
    expect(readFileSync(at('summary'), 'utf8')).to.contain('3 of 5 stages rerun');
    script('comment.sh');
    expect(comments()).to.have.lengthOf(1);
    expect(comments()[0]?.body).to.match(/^<!-- ftpc-plan: pipelines\/pipe.ftp -->\n/);
    expect(comments()[0]?.body).to.contain('Against `origin/main`, planned for `cpu-8gib`.');
    work.edit('pipelines/presets.ftp', 'rank: 4', 'rank: 8');
    script('plan.sh');
    script('comment.sh');
    expect(comments().map(({ id, body }) => [id, body.includes('| `8` |')])).to.deep.equal([[100, true]]);
    work.edit('pipelines/presets.ftp', 'rank: 8', 'rank: 2');
    script('plan.sh');
    script('comment.sh');
    expect(comments()).to.have.lengthOf(1);
    expect(comments()[0]?.body).to.contain(': no change');
  });

  it('does not comment where nothing changed, and touches no comment of others', () => {
    merge();
    writeFileSync(
      at('comments'),
      JSON.stringify([{ id: 1, user: { login: 'someone' }, body: '<!-- ftpc-plan: pipelines/pipe.ftp -->' }]),
    );
    script('plan.sh');
    script('comment.sh');
    expect(comments()).to.have.lengthOf(1);
    expect(readFileSync(at('output'), 'utf8')).to.equal('changed=0\nfailed=0\n');
    expect(readFileSync(`${at('comments')}.log`, 'utf8')).to.match(/^(?:GET .*\n)+$/);
  });

  it('annotates and comments the errors of a pipeline, and counts it as failed', () => {
    work.edit('pipelines/pipe.ftp', 'max_length', 'max_lenth');
    merge();
    const out = script('plan.sh');
    expect(out).to.match(/^::error file=pipelines\/pipe.ftp,line=\d+/m);
    script('comment.sh');
    expect(comments()[0]?.body).to.contain('cannot be planned, 1 error');
    expect(readFileSync(at('output'), 'utf8')).to.equal('changed=0\nfailed=1\n');
    expect(readdirSync(at('plans')).sort()).to.deep.equal(['1.md', '1.state']);
  });

  it('takes parameters, another base, and names that look like options', () => {
    work.git('mv', 'pipelines/pipe.ftp', 'pipelines/$(touch gone) -x.ftp');
    work.commit();
    work.edit('pipelines/$(touch gone) -x.ftp', 'epochs: 2', 'epochs: 3');
    script('plan.sh', { AGAINST: 'HEAD', PARAMS: 'rate=1e-3\n', PIPELINES: 'pipelines/*-x.ftp' });
    expect(readFileSync(at('output'), 'utf8')).to.equal('changed=1\nfailed=0\n');
    expect(existsSync(join(work.path, 'gone'))).to.equal(false);
  });
});
