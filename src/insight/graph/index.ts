export { dot } from './dot.js';
export { type Graph, type GraphOptions, graphOf, type NodeStatus } from './graph.js';
export { mermaid } from './mermaid.js';
export { svg, svgFile } from './svg.js';
export { graphText } from './text.js';
