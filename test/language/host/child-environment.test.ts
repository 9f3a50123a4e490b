import { expect } from 'chai';
import { passedOn, startingWith } from '../../../src/language/host/child-environment.js';

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

const PASSED = words(`
  PATH HOME TMPDIR LANG LC_ALL OMP_NUM_THREADS CUDA_VISIBLE_DEVICES VK_ICD_FILENAMES LD_LIBRARY_PATH https_proxy
  SSL_CERT_FILE FTPC_CACHE XDG_CACHE_HOME HF_HOME HF_HUB_OFFLINE NODE_OPTIONS TOKENIZERS_PARALLELISM
`);

const LEFT = words(`
  HF_TOKEN HUGGING_FACE_HUB_TOKEN HF_HUB_TOKEN GITHUB_TOKEN AWS_SECRET_ACCESS_KEY AWS_ACCESS_KEY_ID NODE_AUTH_TOKEN
  NPM_CONFIG__AUTH DATABASE_URL OPENAI_API_KEY FTPC_SECRET CUDA_PASSWORD SSH_AUTH_SOCK GIT_CEILING_DIRECTORIES GIT_TOKEN
`);

describe('the environment of a process', () => {
  const environment = Object.fromEntries([...PASSED, ...LEFT].map((name) => [name, 'x']));

  it('has what libraries need, and no secret', () => {
    expect(Object.keys(passedOn(environment))).to.have.members(PASSED);
  });

  it('has the secrets that it fetches with', () => {
    expect(passedOn(environment, (name) => name === 'HF_TOKEN'))
      .to.include({ HF_TOKEN: 'x' })
      .and.not.have.property('GITHUB_TOKEN');
  });

  it('has what its program needs besides, but for secrets', () => {
    expect(passedOn(environment, startingWith(['GIT_'])))
      .to.include({ GIT_CEILING_DIRECTORIES: 'x' })
      .and.not.have.property('GIT_TOKEN');
  });
});
