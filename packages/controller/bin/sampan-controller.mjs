#!/usr/bin/env node
// Plain JavaScript, so that an old Node can read it and say what it lacks.
const [major] = process.versions.node.split('.').map(Number);
if (major >= 26) await import('../src/main.ts');
else {
  console.error(`sampan-controller needs Node 26 or newer, this is ${process.version}`);
  process.exitCode = 1;
}
