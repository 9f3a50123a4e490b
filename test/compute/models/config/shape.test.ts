import { expect } from 'chai';
import { configText, floatsAsIn } from '../../../../src/compute/models/config/shape.js';

describe('the text of a config', () => {
  it('has floats where the original has them, and nowhere else', () => {
    const original = '{"theta": 10000.0, "scale": 1e+6, "tiny": 1e-05, "layers": 2, "rope": {"factor": 8.0}}';
    const text = configText(JSON.parse(original));
    expect(floatsAsIn(original, text)).to.equal(
      `${JSON.stringify({ theta: '', scale: '', tiny: 0.00001, layers: 2, rope: { factor: '' } }, null, 2)
        .replace('"theta": ""', '"theta": 10000.0')
        .replace('"scale": ""', '"scale": 1000000.0')
        .replace('"factor": ""', '"factor": 8.0')}\n`,
    );
  });

  it('leaves texts alone that only look like numbers', () => {
    const text = '{\n  "version": "5.0",\n  "layers": 5\n}\n';
    expect(floatsAsIn('{"version": "5.0", "layers": 5}', text)).to.equal(text);
  });
});
