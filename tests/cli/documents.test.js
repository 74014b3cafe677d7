'use strict';
// Every configuration in the documents is one that hawser understands without a warning.
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { say, directory } = require('./program.js');

// The examples' hosts are not there, and this machine's limits are not theirs.
const ofThisMachine = /host not found in upstream|file descriptors|cannot load certificate/;

// Pages show parts: locations without their server, upstreams that nobody asks yet.
function whole(text) {
  const at = text.search(/^location /m);
  if (at >= 0) text = `${text.slice(0, at)}server { listen 127.0.0.1:8080;\n${text.slice(at)}}\n`;
  if (/^\s*(server|stream|tcp) \{/m.test(text)) return text;
  const asked = [...text.matchAll(/^upstream (\S+)/gm)].map(([, name]) => `location /${name} { proxy_pass http://${name}; }`);
  return `${text}server { listen 127.0.0.1:8080; ${asked.join(' ')} }\n`;
}

const root = path.resolve(__dirname, '../..');
const pages = ['README.md', ...fs.readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];

for (const page of pages) {
  const blocks = [...fs.readFileSync(path.join(root, page), 'utf8').matchAll(/^```nginx\n([^]*?)^```/gm)];
  blocks.forEach(([, text], index) => {
    test(`${page}, example ${index + 1}`, (t) => {
      const home = directory(t);
      const file = path.join(home, 'example.conf');
      fs.mkdirSync(path.join(home, 'logs')); // which an nginx has beneath its prefix
      fs.writeFileSync(file, whole(text));
      const { stdout, stderr } = say('-t', '-c', file);
      const faults = (stdout + stderr).split('\n').filter((line) => /\[(emerg|warn)\]/.test(line) && !ofThisMachine.test(line));
      assert.deepEqual(faults, []);
      assert.match(stdout + stderr, /hawser|nginx/);
    });
  });
}
