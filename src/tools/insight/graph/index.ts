export { dot, svg, svgFile } from './dot.js';
export { type Graph, graphOf } from './graph.js';
export { mermaid } from './mermaid.js';
export { graphText } from './text.js';
