export { dot } from './dot.js';
export { type Graph, graphOf } from './graph.js';
export { mermaid } from './mermaid.js';
export { svg, svgFile } from './svg.js';
export { graphText } from './text.js';
