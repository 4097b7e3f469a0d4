import { expect, it } from 'vitest';
import { printedCommands } from '../../helpers/printed-commands.ts';

const page = `
Type \`npm run demo -- --keep\`, not \`npm\` alone or \`npm run …\`; \`agent.yaml\` is a file.

\`\`\`sh
# a comment
npm ci && npm test

curl -s http://127.0.0.1/deploy -d '{
  "project_name": "it\\"s" }'
npx sampan-agent \\
  --config "agent
.yaml"
\`\`\`

\`\`\`yaml
npm: not a command
\`\`\`
`;

it('every line of an sh block is a command, and every span that starts like one of ours', () => {
  expect(printedCommands(page)).toEqual([
    'npm ci && npm test',
    `curl -s http://127.0.0.1/deploy -d '{\n  "project_name": "it\\"s" }'`,
    'npx sampan-agent \\\n  --config "agent\n.yaml"',
    'npm run demo -- --keep',
  ]);
});

it('a command that does not end is not passed over', () => {
  expect(() => printedCommands("```sh\necho 'a\n```\n")).toThrow("a command that does not end: echo 'a");
});
